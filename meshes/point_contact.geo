// A point contact on an extended spin valve: a small plug on the centre of a wide disc. Lengths in nm.
// Layers: electrode, fixed, spacer, free (discs, bottom to top), plug. Contacts: bottom, top.

DefineConstant[
  diameter_contact = 30,
  diameter_film = 400,
  t_electrode = 40,
  t_fixed = 10,
  t_spacer = 6,
  t_free = 4,
  t_plug = 15,
  n_electrode = 4,     // cells through each layer
  n_fixed = 4,
  n_spacer = 3,
  n_free = 4,
  n_plug = 4,
  size_contact = 3,  // cells at the plug's edge
  growth = 0.3,       // of the cells with the distance from that edge
  size_film = 50       // largest cell
];

// Plug and film are polygons with the areas of the circles they stand for: their corners lie a little outside.
radius[] = {diameter_contact / 2, diameter_film / 2};
size[] = {size_contact, size_film};
For c In {0 : 1}
  n = 4 * Ceil(Max(2 * Pi * radius[c] / size[c], 24) / 4);
  grow = Sqrt(2 * Pi / n / Sin(2 * Pi / n));
  first_point = newp;
  For i In {0 : n - 1}
    Point(first_point + i) = {grow * radius[c] * Cos(2 * Pi * i / n), grow * radius[c] * Sin(2 * Pi * i / n), 0};
  EndFor
  first_line = newl;
  For i In {0 : n - 1}
    Line(first_line + i) = {first_point + i, first_point + (i + 1) % n};
  EndFor
  Curve Loop(1 + c) = {first_line : first_line + n - 1};
  If (c == 0)
    Transfinite Curve {first_line : first_line + n - 1} = 2;
  EndIf
EndFor
Plane Surface(1) = {1};     // below the plug
Plane Surface(2) = {2, 1};  // around it

Field[1] = MathEval;
Field[1].F = Sprintf("min(%g, %g + %g * abs(sqrt(x^2 + y^2) - %g))", size_film, size_contact, growth, radius[0]);
Background Field = 1;
Mesh.MeshSizeExtendFromBoundary = 0;
Mesh.MeshSizeFromPoints = 0;

thickness[] = {t_electrode, t_fixed, t_spacer, t_free, t_plug};
cells[] = {n_electrode, n_fixed, n_spacer, n_free, n_plug};
z = 0;
For k In {0 : 3}
  z += thickness[k];
EndFor
core = 1;
around = 2;
For k In {0 : 4}
  grown[] = Extrude {0, 0, thickness[k]} { Surface{core}; Layers{cells[k]}; };
  core = grown[0];
  inner[k] = grown[1];
  If (k < 4)
    // Its inner wall is the outer wall of the core: gmsh merges the two.
    grown[] = Extrude {0, 0, thickness[k]} { Surface{around}; Layers{cells[k]}; };
    around = grown[0];
    outer[k] = grown[1];
  EndIf
EndFor

Physical Volume("electrode") = {inner[0], outer[0]};
Physical Volume("fixed") = {inner[1], outer[1]};
Physical Volume("spacer") = {inner[2], outer[2]};
Physical Volume("free") = {inner[3], outer[3]};
Physical Volume("plug") = {inner[4]};
Physical Surface("bottom") = {1, 2};
Physical Surface("top") = {core};
