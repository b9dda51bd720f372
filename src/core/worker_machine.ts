/**
 * The statechart of one worker connection, from its `hello` to its end: the specification and the
 * picture (`docs/statecharts.md`). What runs is `worker_table.ts`; a test compares both.
 *
 * A worker that comes back is a new connection with a new actor, which takes over the leases of its
 * session (engine rules 13 to 15). So `lost` is final, and loses no work by itself.
 */
import { setup } from "xstate";
import type { WorkerEventType } from "./worker_table.ts";

export type WorkerEvent = { type: WorkerEventType };

const drop = { target: "lost", description: "the socket is gone; leases hold for the grace time" };
const supersede = { target: "lost", description: "a newer hello of the same worker won" };
const ends = {
  leave: { target: "lost", description: "it said goodbye, holding nothing" },
  drop,
  lapse: { target: "lost", description: "no heartbeat for the lease time" },
  supersede,
} as const;

export const workerMachine = setup({
  types: { events: {} as WorkerEvent, tags: {} as "connected" },
}).createMachine({
  id: "worker",
  initial: "joining",
  states: {
    joining: {
      description: "Its hello is being checked and its session opened.",
      on: {
        accept: { target: "ready" },
        accept_draining: { target: "draining", description: "it drained before it came back" },
        refuse: { target: "lost", description: "wrong token, version or frame" },
        drop: { target: "lost" },
        supersede,
      },
    },
    ready: {
      description: "Takes jobs while it has free slots.",
      tags: "connected",
      on: { ...ends, drain: { target: "draining", description: "asked, or by its own will" } },
    },
    draining: {
      description: "Ends what it holds and takes nothing new.",
      tags: "connected",
      on: ends,
    },
    lost: { description: "The connection is over.", type: "final" },
  },
});
