// The unit sphere of directions, for [sphere] mesh = "sphere.geo": cells of one size at the poles, of another at the equator.
// Eight patches: the equator and four meridians consist of edges, so that hemispheres about z are unions of cells.

DefineConstant[
  size_poles = 0.13,   // cells at (0, 0, 1) and (0, 0, -1); the radius is 1
  size_equator = 0.3   // cells at z = 0; smaller ones there for an easy plane
];

Point(1) = {0, 0, 0};
Point(2) = {1, 0, 0};
Point(3) = {0, 1, 0};
Point(4) = {-1, 0, 0};
Point(5) = {0, -1, 0};
Point(6) = {0, 0, 1};
Point(7) = {0, 0, -1};
For i In {0 : 3}
  Circle(1 + i) = {2 + i, 1, 2 + (i + 1) % 4};  // the equator
  Circle(5 + i) = {2 + i, 1, 6};                // up to the north pole
  Circle(9 + i) = {2 + i, 1, 7};                // down to the south pole
EndFor
For i In {0 : 3}
  j = (i + 1) % 4;
  Curve Loop(1 + i) = {1 + i, 5 + j, -(5 + i)};
  Curve Loop(5 + i) = {-(1 + i), 9 + i, -(9 + j)};
  Surface(1 + i) = {1 + i} In Sphere {1};
  Surface(5 + i) = {5 + i} In Sphere {1};
EndFor
Physical Surface("sphere") = {1 : 8};

// The size goes like the energy of a uniaxial magnet, with z^2.
Field[1] = MathEval;
Field[1].F = Sprintf("%g * (1 - z^2) + %g * z^2", size_equator, size_poles);
Background Field = 1;
Mesh.MeshSizeExtendFromBoundary = 0;
Mesh.MeshSizeFromPoints = 0;
Mesh.MeshSizeFromCurvature = 0;
Mesh.Algorithm = 6;  // frontal Delaunay: the most regular triangles
