"""Reduces Microsoft Graph's metadata (CSDL, XML) to the names and types that the contract tests compare."""

import json
import sys
from pathlib import Path
from typing import Any

from lxml import etree

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def reduced(csdl: Path) -> dict[str, Any]:
    """The enumerations by name, and the types by name with base type, properties and navigation properties."""
    root = etree.parse(csdl).getroot()
    enums = {e.get("Name"): [m.get("Name") for m in e.iter(f"{_EDM}Member")] for e in root.iter(f"{_EDM}EnumType")}
    types = {
        element.get("Name"): {
            "base": (element.get("BaseType") or "").rpartition(".")[2],
            "open": element.get("OpenType") == "true",
            "properties": {one.get("Name"): _type(one) for one in element.iterfind(f"{_EDM}Property")},
            "navigation": {one.get("Name"): _type(one) for one in element.iterfind(f"{_EDM}NavigationProperty")},
        }
        for tag in ("EntityType", "ComplexType")
        for element in root.iter(f"{_EDM}{tag}")
    }
    return {"enums": enums, "types": types}


def _type(element: etree._Element) -> str:
    """Shorten `Edm.String` to String, with `[]` for a collection and `!` if null is not allowed."""
    name = str(element.get("Type"))
    many = name.startswith("Collection(")
    name = name.removeprefix("Collection(").removesuffix(")").rpartition(".")[2]
    return name + ("[]" if many else "") + ("!" if element.get("Nullable") == "false" else "")


if __name__ == "__main__":
    text = json.dumps(reduced(Path(sys.argv[1])), indent=1, sort_keys=True)
    Path(__file__).with_name("outlook-v1.0.json").write_text(text + "\n", encoding="utf-8")
