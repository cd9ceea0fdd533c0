"""How servers differ in what they refuse: see docs/protocol.md."""

USER, PASSWORD = "deployer", "pässword"

SERVERS = {
    "http-refusing": {"refusal": 400},
    "http-dav": {"overwrite": "allow", "mkcol": True, "listing": True},
    "http-nexus2": {"if_none_match": "always_412"},
}
