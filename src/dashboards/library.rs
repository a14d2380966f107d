//! Which dashboards there are: those that are shipped, and those in directories.
