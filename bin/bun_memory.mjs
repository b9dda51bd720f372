/**
 * How much memory Bun believes the machine to have. By it JavaScriptCore decides how much garbage may
 * pile up: on 24 GiB a server that used 65 MB grew to 500 MB under load. Not a limit; at 1 GiB the same
 * load took as long, and 350 MB.
 */
export const BUN_MEMORY = { BUN_JSC_forceRAMSize: String(2 ** 30) };
