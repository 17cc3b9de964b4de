// A non-local spin valve: two magnetic wires across a normal channel that widens into pads. Lengths in nm.
// Layers: channel (with pads), injector, detector. Contacts: left, right (ends of the pads),
// injector-end, detector-end (ends of the wires at +y). A contact must not be called like a layer.

DefineConstant[
  separation = 250,     // of the wires, centre to centre
  width_injector = 100,
  width_detector = 70,
  width_channel = 100,
  t_channel = 60,       // thicknesses, and cells through them
  t_wire = 30,
  n_channel = 5,
  n_wire = 6,
  overhang = 150,       // of the wires beyond the channel, on both sides
  reach = 350,          // of the straight channel beyond each wire's centre
  taper = 150,          // where it widens
  pad_length = 150,
  pad_width = 300,
  size_wire = 14,       // cells at the wires
  size_pad = 60         // largest cell
];

w = width_channel / 2;
v = pad_width / 2;
far = w + overhang;

// Plan, at the upper face of the channel: left pad, straight piece, injector, gap, detector, straight piece, right pad.
x[] = {-reach, -width_injector / 2, width_injector / 2, separation - width_detector / 2,
       separation + width_detector / 2, separation + reach};
For i In {0 : 5}
  Point(1 + i) = {x[i], -w, 0};
  Point(11 + i) = {x[i], w, 0};
  Line(1 + i) = {1 + i, 11 + i};            // across the channel
EndFor
For i In {0 : 4}
  Line(11 + i) = {1 + i, 2 + i};            // its lower edge
  Line(21 + i) = {11 + i, 12 + i};          // its upper edge
  Curve Loop(1 + i) = {11 + i, 2 + i, -(21 + i), -(1 + i)};
  Plane Surface(1 + i) = {1 + i};
EndFor
// Pads.
Point(31) = {x[0] - taper, v, 0};
Point(32) = {x[0] - taper - pad_length, v, 0};
Point(33) = {x[0] - taper - pad_length, -v, 0};
Point(34) = {x[0] - taper, -v, 0};
Point(41) = {x[5] + taper, -v, 0};
Point(42) = {x[5] + taper + pad_length, -v, 0};
Point(43) = {x[5] + taper + pad_length, v, 0};
Point(44) = {x[5] + taper, v, 0};
For s In {0 : 1}
  first = s == 0 ? 11 : 6;
  last = s == 0 ? 1 : 16;
  c = 31 + 10 * s;
  Line(c) = {first, c};
  Line(c + 1) = {c, c + 1};
  Line(c + 2) = {c + 1, c + 2};
  Line(c + 3) = {c + 2, c + 3};
  Line(c + 4) = {c + 3, last};
EndFor
Curve Loop(6) = {31 : 35, 1};
Plane Surface(6) = {6};
Curve Loop(7) = {41 : 45, -6};
Plane Surface(7) = {7};
// What the wires have beyond the channel.
For i In {0 : 1}
  j = 1 + 2 * i;                            // the wire lies between x[j] and x[j + 1]
  p = 50 + 20 * i;
  Point(p) = {x[j], far, 0};
  Point(p + 1) = {x[j + 1], far, 0};
  Point(p + 2) = {x[j], -far, 0};
  Point(p + 3) = {x[j + 1], -far, 0};
  Line(p) = {11 + j, p};
  Line(p + 1) = {p, p + 1};
  Line(p + 2) = {p + 1, 12 + j};
  Curve Loop(p) = {p, p + 1, p + 2, -(21 + j)};
  Plane Surface(p) = {p};
  Line(p + 3) = {1 + j, p + 2};
  Line(p + 4) = {p + 2, p + 3};
  Line(p + 5) = {p + 3, 2 + j};
  Curve Loop(p + 1) = {p + 3, p + 4, p + 5, -(11 + j)};
  Plane Surface(p + 1) = {p + 1};
EndFor

// Cells grow along x away from the wires, and slowly along the wires.
Field[1] = MathEval;
Field[1].F = Sprintf("min(%g, %g + 0.12 * min(abs(x), abs(x - %g)) + 0.1 * max(0, abs(y) - %g))", size_pad, size_wire, separation, w);
Background Field = 1;
Mesh.MeshSizeExtendFromBoundary = 0;
Mesh.MeshSizeFromPoints = 0;

// The channel down, the wires up. Volumes are found by where they are: merging of equal faces may renumber them.
Extrude {0, 0, -t_channel} { Surface{1 : 7}; Layers{n_channel}; }
Extrude {0, 0, t_wire} { Surface{2, 4, 50, 51, 70, 71}; Layers{n_wire}; }
e = 1e-3;
big = 1e6;
Physical Volume("channel") = {Volume In BoundingBox{-big, -big, -big, big, big, e}};
Physical Volume("injector") = {Volume In BoundingBox{x[1] - e, -big, -e, x[2] + e, big, big}};
Physical Volume("detector") = {Volume In BoundingBox{x[3] - e, -big, -e, x[4] + e, big, big}};
start = x[0] - taper - pad_length;
end = x[5] + taper + pad_length;
Physical Surface("injector-end") = {Surface In BoundingBox{x[1] - e, far - e, -e, x[2] + e, far + e, big}};
Physical Surface("right") = {Surface In BoundingBox{end - e, -big, -big, end + e, big, big}};
Physical Surface("detector-end") = {Surface In BoundingBox{x[3] - e, far - e, -e, x[4] + e, far + e, big}};
Physical Surface("left") = {Surface In BoundingBox{start - e, -big, -big, start + e, big, big}};
