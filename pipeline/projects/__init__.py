"""Any labelling: a page with `${variables}` and a spreadsheet become HITs, the answers become the website's CSV."""
