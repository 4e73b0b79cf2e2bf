"""The portal: pages for a browser, which hold no data and ask the HTTP API for all they show."""
