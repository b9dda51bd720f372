/** The packages of the firmware team: what each needs, and how heavy it is to build. */
import type { Task } from "./task.ts";

export interface Package {
  name: string;
  needs: readonly string[];
  seconds: number;
  ramMb: number;
}

/** Each after all that it needs. */
const LIST: readonly [name: string, needs: string, seconds: number, ramMb: number][] = [
  ["binutils-2.43.1", "", 14, 900],
  ["linux-headers-6.12.9", "", 3, 160],
  ["gcc-14.2.0", "binutils-2.43.1", 42, 3_800],
  ["musl-1.2.5", "gcc-14.2.0 linux-headers-6.12.9", 5, 240],
  ["linux-6.12.9", "gcc-14.2.0", 38, 3_100],
  ["u-boot-2025.01", "gcc-14.2.0", 12, 620],
  ["arm-trusted-firmware-2.12.0", "gcc-14.2.0", 7, 380],
  ["zlib-1.3.1", "musl-1.2.5", 2, 110],
  ["xz-5.6.3", "musl-1.2.5", 4, 150],
  ["zstd-1.5.6", "musl-1.2.5", 6, 260],
  ["lz4-1.10.0", "musl-1.2.5", 2, 120],
  ["expat-2.6.4", "musl-1.2.5", 3, 130],
  ["libffi-3.4.6", "musl-1.2.5", 2, 120],
  ["pcre2-10.44", "musl-1.2.5", 5, 210],
  ["ncurses-6.5", "musl-1.2.5", 7, 230],
  ["gmp-6.3.0", "musl-1.2.5", 8, 240],
  ["libmnl-1.0.5", "musl-1.2.5", 1.5, 90],
  ["libnftnl-1.2.8", "libmnl-1.0.5", 2.5, 130],
  ["openssl-3.4.0", "zlib-1.3.1", 17, 840],
  ["mbedtls-3.6.2", "musl-1.2.5", 6, 310],
  ["sqlite-3.47.2", "zlib-1.3.1", 9, 720],
  ["libuv-1.49.2", "musl-1.2.5", 4, 180],
  ["libevent-2.1.12", "openssl-3.4.0", 5, 220],
  ["abseil-cpp-20240722", "gcc-14.2.0", 16, 1_500],
  ["protobuf-29.2", "abseil-cpp-20240722 zlib-1.3.1", 19, 1_900],
  ["grpc-1.68.2", "protobuf-29.2 openssl-3.4.0", 34, 4_200],
  ["readline-8.2", "ncurses-6.5", 3, 140],
  ["bash-5.2.37", "readline-8.2", 6, 230],
  ["busybox-1.37.0", "musl-1.2.5 linux-headers-6.12.9", 8, 300],
  ["dropbear-2024.86", "zlib-1.3.1", 4, 170],
  ["curl-8.11.1", "openssl-3.4.0 zlib-1.3.1 zstd-1.5.6", 8, 360],
  ["libwebsockets-4.3.3", "openssl-3.4.0 libuv-1.49.2", 6, 280],
  ["mosquitto-2.0.20", "libwebsockets-4.3.3", 4, 200],
  ["dbus-1.14.10", "expat-2.6.4", 5, 210],
  ["glib-2.82.4", "libffi-3.4.6 pcre2-10.44 zlib-1.3.1", 18, 980],
  ["bluez-5.79", "glib-2.82.4 dbus-1.14.10 readline-8.2", 11, 560],
  ["wpa-supplicant-2.11", "openssl-3.4.0 dbus-1.14.10", 7, 320],
  ["iproute2-6.12.0", "libmnl-1.0.5", 4, 190],
  ["nftables-1.1.1", "libnftnl-1.2.8 gmp-6.3.0 readline-8.2", 5, 230],
  ["chrony-4.6.1", "mbedtls-3.6.2", 3, 150],
  ["e2fsprogs-1.47.2", "musl-1.2.5", 9, 330],
  ["mtd-utils-2.2.1", "zlib-1.3.1 zstd-1.5.6", 4, 190],
  ["swupdate-2024.12", "mtd-utils-2.2.1 curl-8.11.1 mbedtls-3.6.2", 6, 290],
  ["libmodbus-3.1.11", "musl-1.2.5", 1.5, 90],
  ["libiio-0.26", "libmodbus-3.1.11 libffi-3.4.6", 3, 160],
  ["eigen-3.4.0", "gcc-14.2.0", 4, 400],
  ["flatbuffers-24.3.25", "gcc-14.2.0", 8, 780],
  ["xnnpack-2024-11", "gcc-14.2.0", 27, 3_300],
  ["tflite-runtime-2.18.0", "flatbuffers-24.3.25 xnnpack-2024-11 eigen-3.4.0", 36, 4_600],
  ["telemetry-agent", "mosquitto-2.0.20 protobuf-29.2 sqlite-3.47.2", 7, 480],
  ["sensor-hub", "libiio-0.26 glib-2.82.4", 6, 420],
  ["calibrator", "sqlite-3.47.2 eigen-3.4.0", 5, 610],
  ["anomaly-detector", "tflite-runtime-2.18.0 sensor-hub", 9, 1_700],
  ["fleet-gateway", "grpc-1.68.2 nftables-1.1.1", 12, 1_400],
  ["ota-updater", "swupdate-2024.12", 4, 260],
  ["field-console", "bluez-5.79 wpa-supplicant-2.11 dropbear-2024.86", 8, 450],
];

export const PACKAGES: readonly Package[] = LIST.map(([name, needs, seconds, ramMb]) => ({
  name,
  needs: needs === "" ? [] : needs.split(" "),
  seconds,
  ramMb,
}));

const BY_NAME = new Map(PACKAGES.map((one) => [one.name, one]));
/** Not needed by any other: what a product is made of. */
export const APPLICATIONS = [
  ...["telemetry-agent", "calibrator", "anomaly-detector", "fleet-gateway", "ota-updater"],
  ...["field-console", "iproute2-6.12.0", "chrony-4.6.1", "bash-5.2.37", "busybox-1.37.0"],
];

/** These and all that they need, what is needed first. Throws for an unknown name. */
export function closureOf(names: readonly string[]): Package[] {
  const wanted = new Set<string>();
  const visit = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    const found = BY_NAME.get(name);
    if (!found) throw new Error(`There is no package ${name}.`);
    for (const need of found.needs) visit(need);
  };
  for (const name of names) visit(name);
  return PACKAGES.filter(({ name }) => wanted.has(name));
}

const HEAVY_SECONDS = 25;

export function packageTask({ name, seconds, ramMb }: Package): Task {
  const isHeavy = seconds >= HEAVY_SECONDS;
  return {
    ...{ name, queue: "builds", kind: "exec", voice: "compile", seconds, ramMb },
    cores: isHeavy ? 3.2 : 1.4,
    diskMb: Math.round(seconds * 34),
    networkMbps: 40,
    maxAttempts: 2,
    timeoutSeconds: 300,
    requirements: {
      system: "x86_64-linux",
      ...(isHeavy ? { features: ["big-parallel"], ram_mb: 6_144, cpus: 4 } : { ram_mb: 1_024 }),
    },
    troubles: [
      { chance: 0.02, how: "fails", exitCode: 2, errors: COMPILE_ERRORS },
      ...(ramMb > 3_000 ? [{ chance: 0.03, how: "out_of_memory" } as const] : []),
    ],
  };
}

const COMPILE_ERRORS = [
  "error: builder failed with exit code 2\nundefined reference to `__atomic_fetch_add_8'\ncollect2: error: ld returned 1 exit status",
  "src/transport.c:418:9: error: implicit declaration of function 'getentropy' [-Wimplicit-function-declaration]\nmake[2]: *** [Makefile:1182: transport.o] Error 1",
  "patching file configure.ac\nHunk #2 FAILED at 211.\n1 out of 3 hunks FAILED -- saving rejects to file configure.ac.rej",
  "FAIL: test-suite 1 of 214 failed: tests/timers/monotonic\nexpected <= 50 ms, got 73 ms",
  "hash mismatch in fixed-output source:\n  specified: sha256-l2v0a6Jq…\n     got:    sha256-9xQeWvG8…",
];
