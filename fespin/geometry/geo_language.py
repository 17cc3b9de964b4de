"""Statements that a ``.geo`` file may have: gmsh's language has commands that run programs and write files.

The text is cut into tokens as gmsh does it, and every token is looked up: names of the language must be on a list,
whatever branch, loop or macro they stand in. What would make gmsh read the text in another way than it is read here is
refused as well: gmsh goes on after loops and macros at the beginning of a line, passes over branches by searching for
words, and ends strings after 1023 characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InputError

MOST_BYTES = 16 * 2**20
_LONGEST_LINE, _LONGEST_STRING, _LONGEST_NAME, _LONGEST_FORMAT = 8000, 1000, 100, 200


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Allowed words of gmsh's lexer: they build geometry, groups and sizes, control the building, or compute.
ALLOWED = _names(
    """
newreg newp newl newc newll newcl news newsl newv newf Affine BSpline Bezier Box Block BooleanCoherence BooleanCommon
BooleanCut BooleanDifference BooleanFragments BooleanFuse BooleanIntersection BooleanSection BooleanUnion BoundingBox
Catenary CatmullRom CenterOfMass Chamfer Characteristic Circle Coherence Color Compound Cone Coordinates Curve
Cylinder Degenerated Delete Dilate Disk Ellipse Ellipsis Ellipsoid Elliptic Euclidian Extrude Field Fillet HealShapes
Hide Hole In Intersect Knots Layers Length Line Mass MatrixOfInertia MeshAlgorithm MeshSize MeshSizeFromBoundary Nurbs
Order Parametric Periodic Physical Plane Point PolarSphere Quadric RecombLaterals Recomblaterals Recombine
RecombineMesh Rectangle Recursive RefineMesh ReorientMesh Reverse ReverseMesh Rotate Ruled ScaleLastLayer SetFactory
SetMaxTag Sewing Show Smoother Sphere Spline Split Surface Symmetry SyncModel ThickSolid ThruSections Torus
Transfinite Translate Unique Using Volume Wedge Wire Call Else ElseIf EndFor EndIf Error For Function If Macro Printf
Return Warning DefineConstant DefineNumber DefineString UndefineConstant Exists Find List LinSpace LogSpace Str StrCat
StrChoice StrCmp Sprintf Abs Acos ArcCos ArcSin ArcTan ArcTan2 Asin Atan Atan2 Ceil Cos Cosh Exp Fabs Floor Fmod Hypot
Log Log10 Max Min Modulo Pi Rand Round Sin Sinh Sqrt Step Tan Tanh GMSH_MAJOR_VERSION GMSH_MINOR_VERSION
GMSH_PATCH_VERSION
"""
)
# Refused: all other words of the lexer, and commands that the lexer does not know. Names on neither list are variables.
REFUSED = _names(
    """
Abort AbsolutePath AdaptMesh Alias AliasWithOptions Append Betti ClassifySurfaces CodeName Cohomology ColorTable
Combine CopyOptions Cpu CreateGeometry CreateTopology CurrentDir CurrentDirectory CurrentFileName DimNameSpace DirName
Draw Exit FileExists FixRelativePath GeoEntity GetEnv GetForced GetForcedStr GetNumber GetString GetStringValue
GetValue GmshExecutableName Homology INTERPOLATION_SCHEME Levelset ListFromFile LowerCase LowerCaseIn MPI_Rank
MPI_Size Memory N2S NameStruct NameToString NewModel OnelabAction OnelabRun Parent Plugin RelocateMesh
RenumberMeshElements RenumberMeshNodes S2N SetChanged SetNumber SetPartition SetString SetTag ShapeFromFile Slide
StrFind StrLen StrPrefix StrRelative StrReplace StrSub StringToName Struct T2 T3 TIME TestLevel TextAttributes Today
TotalMemory TransformMesh UnsplitWindow UpperCase CreateDir Include Merge MergeWithBoundingBox NonBlockingSystemCall
Parse PartitionMesh Print Remesh Save SendToServer SetCurrentWindow SetName Sleep SplitCurrentWindowHorizontal
SplitCurrentWindowVertical System SystemCall View
"""
)
_QUAD_TRI = re.compile(r"Quad[tT]ri[aA]dd[vV]erts|Quad[tT]ri[nN]o[nN]ew[vV]erts|Transf[qQ]uad[tT]ri")
FIELDS = _names(
    "Attractor AttractorAnisoCurve Ball BoundaryLayer Box Constant Curvature Cylinder Distance Extend Frustum Gradient "
    "IntersectAniso Laplacian LonLat MathEval MathEvalAniso Max MaxEigenHessian Mean Min MinAniso Octree Param "
    "Restrict Threshold"
)
# Categories whose options a file may set; of General, only verbosity and appearance.
_CATEGORIES = _names("Mesh Geometry Field")
_GENERAL = re.compile(
    "Terminal|Verbosity|NumThreads|ExpertMode|Trackball.*|Rotation.*|Translation.*|Scale[XYZ]|(Small)?Axes|Orthographic"
)
# Attributes that may describe a number in DefineConstant.
_ATTRIBUTES = _names(
    "Name Label Help AutoCheck Choices Range Closed Visible ReadOnly ReadOnlyRange Highlight Units Min Max Step Loop"
)
# For these statements gmsh stores its position in the file and later reads again from the next line on.
_PLACES = _names("For Macro Function Call")
_PRINTS = _names("Printf Sprintf Error Warning")
# gmsh formats what it prints by C's printf into buffers of a fixed size.
_FORMAT = re.compile(r"[\"'](?:[^%]|%[-+ ]?\d{0,2}(?:\.\d{0,2})?[eEfgGd])*[\"']")
_ASSIGN = {"=", "+=", "-=", "*=", "/=", "++", "--"}

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
|(?P<comment>//[^\n]*|/\*.*?\*/)
|(?P<string>"[^"]*"|'[^']*')
|(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)
|(?P<name>[A-Za-z_][A-Za-z_0-9]*)
|(?P<sign>\.\.\.|::|\|\||&&|\+\+|--|[-+*/=!<>]=|>>|<<|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A token: a name, number, string or sign.

    Attributes
    ----------
    kind
        "name", "number", "string" or "sign".
    text
        Statement as it stands in the file.
    line
        Number of its line, from 1.
    """

    kind: str
    text: str
    line: int


class _Refusal(Exception):
    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def check_geo(text: bytes, owner: str) -> None:
    """Refuse a ``.geo`` text that does more than build geometry, groups and sizes.

    Parameters
    ----------
    owner
        Key and path, for messages.

    Raises
    ------
    InputError
        With one line that names the line of the file, and what was found there.

    Examples
    --------
    >>> check_geo(b"Point(1) = {0, 0, 0};", "geometry.mesh 'a.geo'")
    """
    if len(text) > MOST_BYTES:
        raise InputError(f"{owner}: found {len(text) / 2**20:.0f} MiB; a .geo file has at most {MOST_BYTES >> 20} MiB")
    try:
        _Checker(tokens(text)).check()
    except _Refusal as refusal:
        raise InputError(
            f"{owner}, line {refusal.line}: found {refusal}; allowed is what builds geometry, physical groups and mesh "
            "sizes; --trust-geo on the command line runs the file as it is"
        ) from None


def tokens(text: bytes) -> list[Token]:
    """Return the tokens of a ``.geo`` text.

    Raises
    ------
    _Refusal
        If gmsh could read the text in another way.
    """
    source = text.decode("latin-1")  # gmsh reads bytes, whatever their encoding
    for at, line in enumerate(source.split("\n"), 1):
        if len(line) > _LONGEST_LINE:
            raise _Refusal(at, f"a line of {len(line)} characters (at most {_LONGEST_LINE})")
        if "\0" in line or "\r" in line[:-1]:
            raise _Refusal(at, "a zero byte" if "\0" in line else "a carriage return within a line")
    out: list[Token] = []
    number, begun = 1, False  # the line, and whether a statement began on it
    after_block = 0  # the line on which a comment of several lines ended
    for match in _TOKEN.finditer(source):
        kind, word = match.lastgroup or "", match[0]
        if kind == "space":
            if "\n" in word:
                number, begun = number + word.count("\n"), False
            continue
        if number == after_block:
            raise _Refusal(number, "text after the end of a comment of several lines; put it on a line of its own")
        if kind in ("comment", "string") and match.start() and source[match.start() - 1] in "EIFR":
            raise _Refusal(number, f"{word[:20]!r} directly after a letter; put a space between them")
        if kind == "comment":
            if "\n" in word:
                if begun:
                    raise _Refusal(number, "a comment of several lines after other text; begin it on its own line")
                number += word.count("\n")
                after_block = number
            begun = True
            continue
        if kind == "string" and ("\n" in word or len(word) > _LONGEST_STRING):
            raise _Refusal(number, f"a string of several lines or more than {_LONGEST_STRING} characters")
        if kind == "name" and len(word) > _LONGEST_NAME:
            raise _Refusal(number, f"a name of {len(word)} characters (at most {_LONGEST_NAME})")
        if word in "\"'" or (word == "/" and source[match.end() : match.end() + 1] == "*"):
            raise _Refusal(number, f"{'a comment' if word == '/' else 'a string'} without end")
        if word in _PLACES and begun:
            raise _Refusal(number, f"'{word}' after other text; put it at the beginning of a line")
        out.append(Token(kind, word, number))
        begun = True
    return out


class _Checker:
    """The rules, each about a token and its neighbours."""

    def __init__(self, sequence: list[Token]) -> None:
        self.tokens = sequence

    def text(self, i: int) -> str:
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def kind(self, i: int) -> str:
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else ""

    def refuse(self, i: int, what: str) -> None:
        raise _Refusal(self.tokens[i].line, what)

    def check(self) -> None:
        for i, token in enumerate(self.tokens):
            if token.kind == "name":
                self.check_name(i, token.text)
            elif token.text == ".":
                self.check_option(i)
            elif token.text == "::":
                self.refuse(i, "'::'")

    def check_name(self, i: int, name: str) -> None:
        if self.text(i - 1) == ".":
            return  # an option: its owner is checked at the dot
        if name in REFUSED:
            self.refuse(i, f"'{name}'")
        elif name in _PRINTS:
            self.check_print(i, name)
        elif name in ("SetFactory", "Call", "Macro", "Function"):
            self.check_plain(i, name)
        elif name == "Field" and self.text(i + 1) in ("[", "("):
            self.check_field(i)
        elif name not in ALLOWED and not _QUAD_TRI.fullmatch(name):
            self.check_variable(i, name)

    def check_variable(self, i: int, name: str) -> None:
        """Refuse a name that is used as a command: one that gmsh has, or will have."""
        before, after = self.text(i - 1), self.text(i + 1)
        if self.kind(i + 1) in ("name", "number", "string"):
            fine = (
                before in ("Macro", "Function", "Using")
                or after == "Using"
                or (before == "For" and after == "In")
                or name in _ATTRIBUTES
                or (name in ("Background", "BoundaryLayer") and after == "Field")
                or (name in ("Mesh", "SetOrder") and self.kind(i + 1) == "number")
                or (name == "OptimizeMesh" and self.kind(i + 1) == "string")
            )
            if not fine:
                self.refuse(i, f"'{name} {after[:30]}', which is no assignment")
        elif after in ("(", "["):
            if self.kind(i + 2) == "string":
                self.refuse(i, f"'{name}{after}{self.text(i + 2)[:30]}', which is no function")
            end = self.closing(i + 1)
            begins = before in ("", ";", "}", ")", "Else", "EndIf", "EndFor", "Return")
            if begins and self.text(end + 1) not in {*_ASSIGN, ".", "{"}:
                self.refuse(i, f"'{name}{after}...', which is no assignment")

    def check_print(self, i: int, name: str) -> None:
        """Refuse printing into files, and formats that are not plain ones of numbers."""
        text = self.text(i + 2)
        if self.kind(i + 2) != "string" or self.text(i + 3) not in (",", ")", "]"):
            self.refuse(i, f"'{name}' of something else than one string in quotes")
        if len(text) > _LONGEST_FORMAT or not _FORMAT.fullmatch(text):
            self.refuse(
                i, f"'{name}({text[:40]}', which is longer than {_LONGEST_FORMAT} or no plain format of numbers"
            )
        j = i + 1
        while name != "Sprintf" and j < len(self.tokens) and self.text(j) != ";":
            if self.text(j) in (">", ">>"):
                self.refuse(j, f"'{name} ... {self.text(j)}', which writes a file")
            j += 1

    def check_plain(self, i: int, name: str) -> None:
        """Refuse factories and macros whose names are expressions instead of plain names."""
        j = i + 2 if name == "SetFactory" else i + 1
        plain = self.kind(j) == "string" or (self.kind(j) == "name" and self.text(j) not in ALLOWED)
        if not plain or len(self.text(j)) > _LONGEST_NAME:
            self.refuse(i, f"'{name}' of something else than a name")

    def check_field(self, i: int) -> None:
        end = self.closing(i + 1)
        if self.text(end + 1) == "=" and self.text(end + 2) not in FIELDS:
            self.refuse(end + 2, f"a field of type '{self.text(end + 2)}'")
        if self.text(end + 1) == "." and self.text(end + 3) == ";":
            self.refuse(end + 2, f"the action '{self.text(end + 2)}' of a field")

    def check_option(self, i: int) -> None:
        """Look up the category of an option, read or set."""
        owner = i - 1
        if self.text(owner) in ("]", ")"):
            owner = self.opening(owner) - 1
        category, option = self.text(owner), self.text(i + 1)
        if category == "Color" and self.text(owner - 1) == ".":
            return  # an option: its category is checked at the dot
        if category == "General" and _GENERAL.fullmatch(option):
            return
        if category not in _CATEGORIES or "Command" in option:
            self.refuse(i, f"the option '{category}.{option}'")

    def closing(self, i: int) -> int:
        """Return where a bracket closes; gmsh takes round and square ones for each other."""
        return self.match(i, "([", ")]", 1)

    def opening(self, i: int) -> int:
        return self.match(i, ")]", "([", -1)

    def match(self, i: int, up: str, down: str, step: int) -> int:
        depth, j = 0, i
        while 0 <= j < len(self.tokens):
            if self.kind(j) == "sign" and self.text(j) in up:
                depth += 1
            elif self.kind(j) == "sign" and self.text(j) in down:
                depth -= 1
                if depth == 0:
                    return j
            j += step
        self.refuse(i, f"'{self.text(i)}' without its partner")
        return i
