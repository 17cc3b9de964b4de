// A circular or elliptic pillar spin valve, Cu / Co / Cu / Py / Cu. Lengths in nm.
// Layers: lead-bottom, fixed, spacer, free, lead-top. Contacts: bottom, top.

DefineConstant[
  diameter_x = 100,    // of the ellipse; equal ones make a circle
  diameter_y = 60,
  size_edge = 6,       // cells at the side wall
  size_core = 10,      // cells on the axis
  t_lead_bottom = 20,  // thicknesses, and cells through each layer
  t_fixed = 10,
  t_spacer = 6,
  t_free = 4,
  t_lead_top = 20,
  n_lead_bottom = 4,
  n_fixed = 6,
  n_spacer = 3,
  n_free = 6,
  n_lead_top = 4
];

// The side wall is a polygon of n sides. Its corners lie on an ellipse that is larger by `grow`,
// so that its area is that of the ellipse asked for, whatever n.
a = diameter_x / 2;
b = diameter_y / 2;
perimeter = Pi * (3 * (a + b) - Sqrt((3 * a + b) * (a + 3 * b)));
n = 4 * Ceil(Max(perimeter / size_edge, 8) / 4);
grow = Sqrt(2 * Pi / n / Sin(2 * Pi / n));

For i In {0 : n - 1}
  p[i] = newp;
  Point(p[i]) = {grow * a * Cos(2 * Pi * i / n), grow * b * Sin(2 * Pi * i / n), 0};
EndFor
For i In {0 : n - 1}
  side[i] = newl;
  Line(side[i]) = {p[i], p[(i + 1) % n]};
EndFor
Transfinite Curve {side[]} = 2;  // one cell per side
Curve Loop(1) = {side[]};
Plane Surface(1) = {1};

Field[1] = MathEval;
Field[1].F = Sprintf("%g + (%g) * min(1, (x / %g)^2 + (y / %g)^2)", size_core, size_edge - size_core, a, b);
Background Field = 1;
Mesh.MeshSizeExtendFromBoundary = 0;

// Layer on layer; the cells through a layer do not depend on those across.
thickness[] = {t_lead_bottom, t_fixed, t_spacer, t_free, t_lead_top};
cells[] = {n_lead_bottom, n_fixed, n_spacer, n_free, n_lead_top};
top = 1;
For k In {0 : 4}
  grown[] = Extrude {0, 0, thickness[k]} { Surface{top}; Layers{cells[k]}; };
  top = grown[0];
  layer[k] = grown[1];
EndFor

Physical Volume("lead-bottom") = {layer[0]};
Physical Volume("fixed") = {layer[1]};
Physical Volume("spacer") = {layer[2]};
Physical Volume("free") = {layer[3]};
Physical Volume("lead-top") = {layer[4]};
Physical Surface("bottom") = {1};
Physical Surface("top") = {top};
