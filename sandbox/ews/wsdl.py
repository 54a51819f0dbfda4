"""The description of the service (Services.wsdl), generated from the operations that the sandbox has.

It refers to messages.xsd and types.xsd. These are Microsoft's and not part of this repository; the sandbox serves them
if it is started with the folder that has them (--ews-schema).
"""

from pathlib import Path
from xml.sax.saxutils import quoteattr

from sandbox.ews.operations import OPERATIONS
from sandbox.ews.wire import MESSAGES

SCHEMAS = ("messages.xsd", "types.xsd")
_REQUEST = "Request"


def services_wsdl(url: str) -> str:
    """The WSDL 1.1 document of the service at a URL."""
    operations = {name.removesuffix(_REQUEST): name for name in sorted(OPERATIONS)}
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:m="{MESSAGES}" targetNamespace="{MESSAGES}">'
        f'<wsdl:types><xs:schema><xs:import namespace="{MESSAGES}" schemaLocation="messages.xsd"/></xs:schema>'
        "</wsdl:types>"
        + "".join(_messages(name, element) for name, element in operations.items())
        + f'<wsdl:portType name="ExchangeServicePortType">{"".join(map(_port_operation, operations))}</wsdl:portType>'
        '<wsdl:binding name="ExchangeServiceBinding" type="m:ExchangeServicePortType">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{''.join(map(_bound_operation, operations))}</wsdl:binding>"
        '<wsdl:service name="ExchangeServices">'
        '<wsdl:port name="ExchangeServicePort" binding="m:ExchangeServiceBinding">'
        f"<soap:address location={quoteattr(url)}/></wsdl:port></wsdl:service></wsdl:definitions>"
    )


def _messages(name: str, element: str) -> str:
    return "".join(
        f'<wsdl:message name="{name}Soap{way}"><wsdl:part name="parameters" element="m:{body}"/></wsdl:message>'
        for way, body in (("In", element), ("Out", f"{name}Response"))
    )


def _port_operation(name: str) -> str:
    ways = (f'<wsdl:{way} message="m:{name}Soap{end}"/>' for way, end in (("input", "In"), ("output", "Out")))
    return f'<wsdl:operation name="{name}">{"".join(ways)}</wsdl:operation>'


def _bound_operation(name: str) -> str:
    body = '<soap:body use="literal"/>'
    return (
        f'<wsdl:operation name="{name}"><soap:operation soapAction="{MESSAGES}/{name}"/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
    )


def schema(folder: Path | None, name: str) -> bytes | None:
    """One of the schema's files; None if it is none, or if the folder is not known."""
    file = folder / name if folder is not None and name in SCHEMAS else None
    return file.read_bytes() if file is not None and file.is_file() else None
