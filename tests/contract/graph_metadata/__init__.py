"""Microsoft Graph's metadata for Outlook and To Do, reduced to names and types, and a check of responses against it.

`outlook-v1.0.json` is generated from the v1.0 metadata that Microsoft publishes (`GET https://graph.microsoft.com/v1.0/
$metadata`, also github.com/microsoftgraph/msgraph-metadata):

    python -m tests.contract.graph_metadata.generate metadata.xml
"""

from tests.contract.graph_metadata.check import Metadata, load

__all__ = ["Metadata", "load"]
