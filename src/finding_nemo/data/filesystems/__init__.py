"""Files on disks, in tars and on servers, by one interface."""
