"""The gallery: pages with `${variables}` from which `galloway project new` starts a project."""
