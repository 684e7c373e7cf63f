"""Child processes that do what may crash, hang or eat memory: models, document parsers, mapped packs.

`process.Worker` is the parent's side, `service.serve` the child's; `frames` is what goes over the pipes between them.
"""
