"""The resources of the API as typed structs. The OpenAPI document is generated from them."""
