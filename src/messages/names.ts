/** The spelling of what people name. One place, so that API, protocol and command line agree. */
import { z } from "zod";

export const JOB_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/;
export const QUEUE_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const ORG_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Systems, features and pools: free, case-sensitive words. */
export const LABEL = /^[a-zA-Z0-9][a-zA-Z0-9._:+-]{0,127}$/;

export const jobName = z
  .string()
  .regex(
    JOB_NAME,
    "must be 1 to 128 of letters, digits and . _ : / -, starting with a letter or digit",
  );
export const queueName = z
  .string()
  .regex(QUEUE_NAME, "must be 1 to 63 of a-z, 0-9, . _ and -, starting with a letter or digit");
export const label = z
  .string()
  .regex(
    LABEL,
    "must be 1 to 128 of letters, digits and . _ : + -, starting with a letter or digit",
  );
