import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CliError, exitCodeOf, explainError, UsageError } from "../../../src/cli/errors.ts";
import { exitCodeOfJob, type JobEnd } from "../../../src/cli/follow/exit_code.ts";
import { ClientError } from "../../../src/sdk/client_error.ts";

const ended = (end: Partial<JobEnd>): number =>
  exitCodeOfJob({ state: "failed", exit_code: null, outcome: "failed", signal: null, ...end });

describe("the exit code under --follow", () => {
  test("is the job's own", () => {
    assert.equal(ended({ state: "succeeded", exit_code: 0, outcome: "succeeded" }), 0);
    assert.equal(ended({ exit_code: 3 }), 3);
    assert.equal(ended({ exit_code: 127 }), 127);
    assert.equal(ended({ exit_code: 255 }), 255);
  });

  test("is 128 + signal for a job that a signal ended, also after a cancel or a timeout", () => {
    assert.equal(ended({ signal: "SIGSEGV" }), 139);
    assert.equal(ended({ signal: "SIGKILL", outcome: "timed_out" }), 137);
    assert.equal(ended({ state: "cancelled", signal: "SIGTERM", outcome: "cancelled" }), 143);
  });

  test("is never 0 for a job that did not succeed", () => {
    assert.equal(ended({ exit_code: 0 }), 125);
    assert.equal(ended({ exit_code: 0, outcome: "timed_out" }), 124);
    assert.equal(ended({ exit_code: 256 }), 1);
    assert.equal(ended({ signal: "SIGNOSUCH" }), 125);
  });

  test("is 125 where the job has no code of its own", () => {
    assert.equal(ended({}), 125);
    assert.equal(ended({ state: "cancelled", outcome: null }), 125);
    assert.equal(ended({ state: "dependency_failed", outcome: null }), 125);
  });
});

describe("the exit code of a fault", () => {
  test("tells wrong input from a failure, and under --follow Signalbox from its job", () => {
    const cases: [unknown, number, number][] = [
      [new UsageError("x"), 2, 2],
      [new ClientError("x", 422), 2, 2],
      [new ClientError("x", 401), 1, 125],
      [new ClientError("x", 0), 1, 125],
      [new CliError("x"), 1, 125],
      [new CliError("x", 130), 130, 130],
      [new Error("a bug"), 1, 125],
    ];
    for (const [error, plain, following] of cases) {
      assert.equal(exitCodeOf(error, false), plain, String(error));
      assert.equal(exitCodeOf(error, true), following, String(error));
    }
  });

  test("comes with a sentence that says what to do", () => {
    assert.match(
      explainError(new ClientError("Cannot reach it", 0)),
      /\. Start it with `signalbox up`/,
    );
    assert.match(explainError(new ClientError("No", 401)), /^No\. .*SIGNALBOX_TOKEN/);
    assert.equal(explainError("odd"), "odd.");
    assert.equal(explainError(new Error("")), "Error.");
  });
});
