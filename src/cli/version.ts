/** Kept equal to package.json by a test: reading that file would break a bundled command line. */
export const VERSION = "0.1.0";
