import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  loadVetoes,
  staticVetoes,
  workerVetoes,
} from "../../../src/core/eligibility/eligibility.ts";
import { fits, hasRoom } from "../../../src/core/eligibility/fits.ts";
import {
  anyJobFacts,
  anyLoad,
  anyWorkerFacts,
  jobFacts,
  workerFacts,
  workerLoad,
} from "./samples.ts";

const RUNS = { numRuns: 2000 };

describe("what the dispatcher asks and what the board explains agree:", () => {
  test("a worker fits exactly where no lasting veto stands", () => {
    let fitting = 0;
    fc.assert(
      fc.property(anyJobFacts, anyWorkerFacts, (job, worker) => {
        assert.equal(fits(job, worker), staticVetoes(job, worker).length === 0);
        fitting += Number(fits(job, worker));
      }),
      RUNS,
    );
    assert.ok(fitting > 20 && fitting < RUNS.numRuns - 20, `one-sided: ${fitting} fit`);
  });

  test("a worker that fits has room exactly where no passing veto stands", () => {
    let roomy = 0;
    fc.assert(
      fc.property(anyJobFacts, anyWorkerFacts, anyLoad, (job, worker, load) => {
        const able = { ...worker, ramMb: 4, cpus: 4 };
        assert.equal(hasRoom(job, able, load), loadVetoes(job, able, load, false).length === 0);
        roomy += Number(hasRoom(job, able, load));
      }),
      RUNS,
    );
    assert.ok(roomy > 20 && roomy < RUNS.numRuns - 20, `one-sided: ${roomy} have room`);
  });

  test("a worker takes a job exactly where nothing at all stands between them", () => {
    fc.assert(
      fc.property(anyJobFacts, anyWorkerFacts, anyLoad, fc.boolean(), (job, worker, load, no) => {
        const taken = fits(job, worker) && hasRoom(job, worker, load) && !no;
        assert.equal(taken, workerVetoes(job, worker, load, no).length === 0);
      }),
      RUNS,
    );
  });

  test("every veto is a sentence with a way out, and none is told twice", () => {
    fc.assert(
      fc.property(anyJobFacts, anyWorkerFacts, anyLoad, (job, worker, load) => {
        const vetoes = workerVetoes(job, worker, load, true);
        for (const { sentence, unblocks } of vetoes) {
          assert.match(sentence, /^[A-Z].*\.$/s);
          assert.match(unblocks, /^[A-Z].*\.$/s);
          assert.doesNotMatch(sentence + unblocks, /undefined|null|NaN|\[object|\.\.$/);
        }
        const sentences = vetoes.map(({ sentence }) => sentence);
        assert.equal(new Set(sentences).size, sentences.length);
      }),
      RUNS,
    );
  });
});

describe("reservations", () => {
  test("fill a worker to the last of what it has", () => {
    const job = jobFacts({ requirements: { ram_mb: 4096, cpus: 2 } });
    const worker = workerFacts({ ramMb: 16_384, cpus: 8 });
    assert.ok(hasRoom(job, worker, workerLoad({ ramReservedMb: 12_288, cpusReserved: 6 })));
    assert.ok(!hasRoom(job, worker, workerLoad({ ramReservedMb: 12_289, cpusReserved: 6 })));
    assert.ok(!hasRoom(job, worker, workerLoad({ ramReservedMb: 12_288, cpusReserved: 6.1 })));
  });

  test("of a tenth of a processor fit ten times, however sums of tenths come out", () => {
    const job = jobFacts({ requirements: { cpus: 0.1 } });
    const worker = workerFacts({ cpus: 1 });
    let cpusReserved = 0;
    for (let taken = 0; taken < 10; taken += 1) {
      assert.ok(hasRoom(job, worker, workerLoad({ cpusReserved })), `${taken}`);
      cpusReserved += 0.1;
    }
    assert.ok(!hasRoom(job, worker, workerLoad({ cpusReserved })));
  });

  test("do not keep out a job that reserves nothing, not even of a worker that is unknown", () => {
    const unknown = workerFacts({ ramMb: null, cpus: null });
    const full = workerLoad({ ramReservedMb: 1e6, cpusReserved: 1e6 });
    assert.ok(fits(jobFacts(), unknown) && hasRoom(jobFacts(), unknown, full));
  });

  test("that a worker cannot ever hold are told once, as what it lacks", () => {
    const job = jobFacts({ requirements: { ram_mb: 99_999 } });
    const vetoes = workerVetoes(job, workerFacts(), workerLoad({ ramReservedMb: 16_000 }), false);
    assert.deepEqual(
      vetoes.map(({ rule }) => rule),
      ["ram"],
    );
  });
});
