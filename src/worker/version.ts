/** Kept equal to package.json by a test: reading that file would break a bundled worker. */
export const WORKER_VERSION = "0.1.0";
