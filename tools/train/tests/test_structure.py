"""How the modules lean on each other."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dermlet_train"


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in PACKAGE.rglob("*.py")}


def only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def import_statements(tree: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    """Those inside functions too: an import that waits for its caller closes a circle all the same."""
    found: list[ast.Import | ast.ImportFrom] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif not only_for_types(node):
            found += import_statements(node)
    return found


def imports_of(name: str) -> set[str]:
    """The package's modules that a module imports."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in import_statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        source = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            found.add(inner if inner in MODULES else source)
    return found & set(MODULES)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: imports_of(name) for name in MODULES}
    assert graph["dermlet_train.export"] >= {"dermlet_train.calibrate.run", "dermlet_train.checkpoint"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
