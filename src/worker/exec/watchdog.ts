/**
 * Outlives the worker by a moment. A worker that is killed with SIGKILL cannot end its jobs, so a
 * small shell in a session of its own waits for the end of a pipe that only the worker holds, then
 * kills every session and every marked process of that worker, and removes their folders.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { MARK_NAME } from "./environment.ts";

/** `+ sid folder` and `- sid folder` come by standard input; its end means that the worker is gone. */
const SCRIPT = `
mark=$1 cgroups=$2 sids=' ' folders=
trap '' TERM INT HUP
while read -r op sid folder; do
  case $op in
    +) sids="$sids$sid "; folders="$folders$folder
" ;;
    -) case $sids in *" $sid "*) sids="\${sids%% $sid *} \${sids#* $sid }" ;; esac
       case $folders in *"$folder
"*) folders="\${folders%%$folder
*}\${folders#*$folder
}" ;; esac ;;
  esac
done
if [ -n "$cgroups" ]; then
  for k in "$cgroups"/signalbox-job-*/cgroup.kill; do [ -e "$k" ] && echo 1 > "$k"; done
fi
round=0
while [ $round -lt 100 ]; do
  round=$((round + 1)) hit=
  for d in /proc/[0-9]*; do
    { read -r line < "$d/stat"; } 2>/dev/null || continue
    rest=\${line##*) }
    set -- $rest
    [ "$1" = Z ] && continue
    case $sids in *" $4 "*) hit="$hit \${d#/proc/}" ;; esac
  done
  for f in $(grep -lsF "${MARK_NAME}=$mark." /proc/[0-9]*/environ 2>/dev/null); do
    pid=\${f#/proc/}; hit="$hit \${pid%/environ}"
  done
  [ -z "$hit" ] && break
  kill -KILL $hit 2>/dev/null
  sleep 0.05
done
printf %s "$folders" | while read -r folder; do
  case $folder in */signalbox-job-*) rm -rf -- "$folder" ;; esac
done
`;

export class Watchdog {
  readonly #mark: string;
  readonly #cgroups: string;
  #child: ChildProcess | null = null;

  /** `mark` begins the mark of every attempt; `cgroups` is where their groups stand, or "". */
  constructor(mark: string, cgroups: string) {
    this.#mark = mark;
    this.#cgroups = cgroups;
  }

  start(): void {
    const child = spawn(
      "/bin/sh",
      ["-c", SCRIPT, "signalbox-watchdog", this.#mark, this.#cgroups],
      {
        cwd: "/",
        env: { PATH: "/usr/bin:/bin" },
        stdio: ["pipe", "ignore", "ignore"],
        detached: true,
      },
    );
    this.#child = child;
    // A watchdog that died is missed at the next write at the latest; jobs go on without it.
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    child.unref();
  }

  watch(session: number, folder: string): void {
    this.#child?.stdin?.write(`+ ${session} ${folder}\n`);
  }

  release(session: number, folder: string): void {
    this.#child?.stdin?.write(`- ${session} ${folder}\n`);
  }

  /** Ends the watch, which first sweeps up whatever is left. */
  stop(): void {
    this.#child?.stdin?.end();
    this.#child = null;
  }
}
