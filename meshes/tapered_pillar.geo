// A pillar with a sloped side wall between two wide strips, as etching leaves it. Lengths in nm.
// The current enters the lower strip at its left end and leaves the upper one at its right end,
// so it crowds at the pillar's edges.
// Layers: lead-bottom (strip and the pillar's foot), fixed, spacer, free, lead-top (cap and strip).
// Contacts: bottom (left end of the lower strip), top (right end of the upper strip).

SetFactory("OpenCASCADE");

DefineConstant[
  diameter = 60,      // of the pillar where it stands on the lower strip
  angle = 75,         // of the side wall against the film plane, degrees; 90 is vertical
  t_foot = 5,         // Cu of the pillar below the magnets: over-etched into the strip
  t_fixed = 8,
  t_spacer = 6,
  t_free = 4,
  t_cap = 8,
  strip_length = 240,
  strip_width = 120,
  t_strip = 40,
  sides = 40,         // of the polygon that stands for a circle
  through = 2.25,     // cells through a thin layer, about
  size_pillar = 4,    // largest cell in the pillar
  size_strip = 22     // largest cell in the strips
];

// Polygons with the area of the circle they stand for.
grow = Sqrt(2 * Pi / sides / Sin(2 * Pi / sides));
t[] = {t_foot, t_fixed, t_spacer, t_free, t_cap};
z[] = {0};
For k In {0 : 4}
  z[k + 1] = z[k] + t[k];
EndFor
For k In {0 : 5}
  r[k] = grow * (diameter / 2 - z[k] / Tan(angle * Pi / 180));
EndFor
If (r[5] <= 0)
  Error("the pillar ends in a tip: a larger angle or diameter is needed");
EndIf

For k In {0 : 4}
  If (angle == 90)
    Cylinder(1 + k) = {0, 0, z[k], 0, 0, t[k], r[k]};
  Else
    Cone(1 + k) = {0, 0, z[k], 0, 0, t[k], r[k], r[k + 1]};
  EndIf
EndFor
Box(6) = {-strip_length / 2, -strip_width / 2, -t_strip, strip_length, strip_width, t_strip};
Box(7) = {-strip_length / 2, -strip_width / 2, z[5], strip_length, strip_width, t_strip};
// Neighbours share their faces from here on. Nothing overlaps, so each volume keeps its number.
BooleanFragments{ Volume{1 : 7}; Delete; }{ }

// Circles: regular polygons.
e = 1e-3;
For k In {0 : 5}
  Transfinite Curve {Curve In BoundingBox{-r[k] - e, -r[k] - e, z[k] - e, r[k] + e, r[k] + e, z[k] + e}} = sides + 1;
EndFor

// Cells: as fine as each layer of the pillar needs, growing away from it.
For k In {0 : 4}
  size = Min(size_pillar, t[k] / through);
  Field[1 + k] = Box;
  Field[1 + k].VIn = size;
  Field[1 + k].VOut = size_strip;
  Field[1 + k].XMin = -r[k];
  Field[1 + k].XMax = r[k];
  Field[1 + k].YMin = -r[k];
  Field[1 + k].YMax = r[k];
  Field[1 + k].ZMin = z[k];
  Field[1 + k].ZMax = z[k + 1];
  Field[1 + k].Thickness = 2.5 * (size_strip - size);
EndFor
Field[6] = Min;
Field[6].FieldsList = {1 : 5};
Background Field = 6;
Mesh.MeshSizeExtendFromBoundary = 0;
Mesh.MeshSizeFromPoints = 0;
Mesh.Optimize = 1;

Physical Volume("lead-bottom") = {6, 1};
Physical Volume("fixed") = {2};
Physical Volume("spacer") = {3};
Physical Volume("free") = {4};
Physical Volume("lead-top") = {5, 7};
x = strip_length / 2;
y = strip_width / 2;
Physical Surface("bottom") = {Surface In BoundingBox{-x - e, -y - e, -t_strip - e, -x + e, y + e, e}};
Physical Surface("top") = {Surface In BoundingBox{x - e, -y - e, z[5] - e, x + e, y + e, z[5] + t_strip + e}};
