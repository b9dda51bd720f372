export declare const BUN_MEMORY: Readonly<Record<string, string>>;
