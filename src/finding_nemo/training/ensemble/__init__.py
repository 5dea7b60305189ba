"""Several trained bundles as one."""
