// A planar cross, seen from above (2D): a normal cross whose west and east arms end in magnets. Lengths in nm.
// Layers: cross, injector (west), detector (east). Contacts: west, north, east, south (ends of the arms).

DefineConstant[
  width = 100,            // of the arms
  arm = 300,              // from the centre to the end of each arm
  cross_arm = 120,        // from the centre to the magnets
  fillet = 30,            // radius of the inner corners
  size_joint = 4,         // cells where magnets meet the cross
  size_end = 15           // largest cell
];

w = width / 2;
d = w + fillet;
// West arm, clockwise round the cross: q = 0, 1, 2, 3 is west, north, east, south.
cos[] = {-1, 0, 1, 0};
sin[] = {0, 1, 0, -1};
For q In {0 : 3}
  c = cos[q];
  s = sin[q];
  b = 10 * q;
  // Along the arm (c, s); its left side, seen outwards, is at (-s, c) w, its right side at (s, -c) w.
  Point(b + 1) = {c * d - s * w, s * d + c * w, 0};               // fillets end here
  Point(b + 2) = {c * d + s * w, s * d - c * w, 0};
  Point(b + 3) = {c * arm - s * w, s * arm + c * w, 0};           // the arm ends here
  Point(b + 4) = {c * arm + s * w, s * arm - c * w, 0};
  Point(b + 5) = {c * d + s * d, s * d - c * d, 0};               // centre of the fillet to the right
  If (q % 2 == 0)
    Point(b + 6) = {c * cross_arm - s * w, s * cross_arm + c * w, 0};  // the magnet begins here
    Point(b + 7) = {c * cross_arm + s * w, s * cross_arm - c * w, 0};
    Line(b + 1) = {b + 1, b + 6};
    Line(b + 2) = {b + 6, b + 7};
    Line(b + 3) = {b + 7, b + 2};
    Line(b + 4) = {b + 6, b + 3};
    Line(b + 5) = {b + 3, b + 4};
    Line(b + 6) = {b + 4, b + 7};
    Curve Loop(b + 1) = {b + 4, b + 5, b + 6, -(b + 2)};
    Plane Surface(b + 1) = {b + 1};
  Else
    Line(b + 1) = {b + 1, b + 3};
    Line(b + 2) = {b + 3, b + 4};
    Line(b + 3) = {b + 4, b + 2};
  EndIf
EndFor
For q In {0 : 3}
  // The right side of an arm meets the left side of the next one clockwise.
  Circle(10 * q + 9) = {10 * q + 2, 10 * q + 5, 10 * ((q + 1) % 4) + 1};
EndFor
Curve Loop(100) = {1, 2, 3, 9, 11, 12, 13, 19, 21, 22, 23, 29, 31, 32, 33, 39};
Plane Surface(100) = {100};

Field[1] = MathEval;
Field[1].F = Sprintf("min(%g, %g + 0.12 * abs(abs(x) - %g))", size_end, size_joint, cross_arm);
Background Field = 1;
Mesh.MeshSizeExtendFromBoundary = 0;
Mesh.MeshSizeFromPoints = 0;

Physical Surface("cross") = {100};
Physical Surface("injector") = {1};
Physical Surface("detector") = {21};
Physical Curve("west") = {5};
Physical Curve("south") = {32};
Physical Curve("east") = {25};
Physical Curve("north") = {12};
