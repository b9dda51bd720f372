/** What channels are told: to real web and mail servers, on a real database. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { channelInput, silenceInput } from "../../../src/engine/alerts/input.ts";
import { type Receiver, receiver } from "../../support/alerts/receiver.ts";
import { makeName, type Name } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";

const EVIL = `<!channel> <https://evil.example|x> & *b*\r\nBcc: all@example.org`;

describe("alerts that are told", () => {
  let rig: Rig;
  let server: Receiver;
  let name: Name;
  beforeEach(async () => {
    rig = await Rig.start({ alertSeconds: 3_600, publicUrl: "https://board.example" });
    server = await receiver();
    name = await makeName(rig.sql, "report");
    // Behind the one with which the engine began.
    await rig.engine.alerts.beat();
  });
  afterEach(async () => {
    await server.close();
    await rig.stop({ oracles: false });
  });

  const trusted = { actor: "tester", isTrusted: true };
  const channel = (more: object = {}, org: number | null = null) => {
    const input = { name: `c${Math.random()}`, kind: "webhook", url: server.url, ...more };
    return rig.engine.alerts.createChannel(org, channelInput.parse(input), trusted);
  };
  /** Fires, and nobody was told. */
  const fire = async (rule = "BackgroundJobFailing", of = name, severity = "warning") => {
    const at = new Date();
    await rig.sql`insert into alert ${rig.sql({
      ...{
        id: crypto.randomUUID(),
        rule,
        org_id: of.org,
        name_id: of.id,
        severity,
        state: "firing",
      },
      ...{ since: at, seen_at: at, known_at: at, fired_at: at, sentence: "Real figures." },
    } as never)}`;
  };
  const deliveries = () =>
    rig.sql`select state, attempts, last_error, message, next_try_at from alert_delivery order by created_at, id`;
  const ended = (state: string) =>
    eventually(async () => {
      await rig.sql`update alert_delivery set next_try_at = now() where state = 'waiting'
        and next_try_at < now() + interval '40 seconds'`;
      await rig.engine.alerts.deliver();
      const rows = await deliveries();
      return rows.length > 0 && rows.every((row) => row.state === state) ? rows : null;
    }, `messages are ${state}`);

  test("reach a webhook signed, at least once, with the same id and the same text", async () => {
    server.answers = [{ status: 500, body: "no\nroom" }, { status: 503 }, { status: 204 }];
    const { secret } = await channel();
    await fire();
    await rig.engine.alerts.beat();
    const [row] = await ended("delivered");
    assert.equal(row!.attempts, 3);
    assert.equal(server.received.length, 3);
    const [first] = server.received;
    const key = Buffer.from(secret!.replace("whsec_", ""), "base64");
    for (const { headers, body } of server.received) {
      assert.equal(headers["webhook-id"], first!.headers["webhook-id"]);
      assert.equal(body, first!.body);
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const expected = createHmac("sha256", key).update(signed).digest("base64");
      assert.equal(headers["webhook-signature"], `v1,${expected}`);
    }
    const { type, data } = JSON.parse(first!.body);
    assert.equal(type, "alerts.changed");
    assert.deepEqual(
      { ...data.alerts[0], id: "", since: "" },
      {
        ...{ id: "", status: "firing", severity: "warning", rule: "BackgroundJobFailing" },
        ...{ organization: "default", job_name: "report", since: "", value: null, limit: null },
        ...{ summary: "Background job report is failing", description: "Real figures." },
        runbook_url: "https://board.example/board/alerts/rules/BackgroundJobFailing?name=report",
      },
    );
  });

  test("of one look are one message to each channel that hears of them", async () => {
    const other = await makeName(rig.sql, "other");
    const all = await channel({ name: "all" });
    await channel({ name: "critical only", severity: "critical", url: `${server.url}/critical` });
    await channel({ name: "elsewhere", url: `${server.url}/elsewhere` }, name.org + 1);
    await fire();
    await fire("BackgroundJobCriticalDuration", other, "critical");
    await rig.engine.alerts.beat();
    await rig.engine.alerts.beat();
    await ended("delivered");
    const told = server.received.map(({ path, body }) => {
      return `${path} ${JSON.parse(body)
        .data.alerts.map((one: { rule: string }) => one.rule)
        .join()}`;
    });
    assert.deepEqual(told.sort(), [
      "/hook BackgroundJobCriticalDuration,BackgroundJobFailing",
      "/hook/critical BackgroundJobCriticalDuration",
    ]);
    assert.ok(all.secret!.startsWith("whsec_"));
  });

  test("that are silenced are told to nobody, until they fire on after the silence", async () => {
    await channel();
    const ask = silenceInput.parse({ seconds: 3600, reason: "we know", job_name: "rep*" });
    const silence = await rig.engine.alerts.silence(name.org, ask, "tester");
    await fire();
    await rig.engine.alerts.beat();
    assert.equal((await deliveries()).length, 0);
    assert.ok(await rig.engine.alerts.endSilence(silence, "tester"));
    assert.ok(!(await rig.engine.alerts.endSilence(silence, "tester")));
    await rig.engine.alerts.beat();
    await ended("delivered");
    assert.equal(server.received.length, 1);
  });

  test("are not sent after a redirect, and not again to what is gone", async () => {
    server.answers = [
      { status: 302, headers: { location: `${server.url}/elsewhere` } },
      { status: 410 },
    ];
    await channel();
    await fire();
    await rig.engine.alerts.beat();
    const [row] = await ended("given_up");
    assert.deepEqual(
      server.received.map(({ path }) => path),
      ["/hook", "/hook"],
    );
    assert.match(row!.last_error, /410/);
  });

  test("are given up after a day, and it is said why", async () => {
    server.answers = [{ status: 500, body: "\u0000<b>wrong</b>" }];
    await channel();
    await fire();
    await rig.engine.alerts.beat();
    await eventually(async () => (await deliveries())[0]?.last_error, "it was tried");
    await rig.sql`update alert_delivery set created_at = now() - interval '25 hours', next_try_at = now()`;
    const [row] = await ended("given_up");
    assert.match(row!.last_error, /^It answered 500: /);
    assert.ok(rig.logs.some(({ message }) => message.includes("given up")));
  });

  test("are sent once where two servers look, and again where one dies in its try", async () => {
    const other = await rig.addEngine();
    await channel();
    await fire();
    await rig.engine.alerts.beat();
    await Promise.all([rig.engine.alerts.deliver(), other.engine.alerts.deliver()]);
    await ended("delivered");
    assert.equal(server.received.length, 1);
    // As a server leaves it that dies in its try: taken, and not ended.
    await rig.sql`update alert_delivery set state = 'waiting', taken_until = now() + interval '30 seconds'`;
    assert.equal(await other.engine.alerts.deliver(), 0);
    await rig.sql`update alert_delivery set taken_until = now()`;
    await eventually(async () => {
      await other.engine.alerts.deliver();
      return server.received.length === 2;
    }, "the other server sends it");
    const ids = server.received.map(({ headers }) => headers["webhook-id"]);
    assert.equal(new Set(ids).size, 1);
  });

  test("go to no private network, but where a superuser wrote the address", async () => {
    const guest = { actor: "tester", isTrusted: false };
    const input = channelInput.parse({ name: "x", kind: "webhook", url: server.url });
    await assert.rejects(
      rig.engine.alerts.createChannel(name.org, input, guest),
      /only superusers/,
    );
    const made = await rig.engine.alerts.createChannel(
      name.org,
      { ...input, url: "https://hooks.example/x" },
      guest,
    );
    // As if the name led there: what it leads to is judged when it is connected to.
    for (const host of ["127.0.0.1", "localhost"]) {
      const url = server.url.replace("127.0.0.1", host);
      await rig.sql`update alert_channel set url = ${url} where id = ${made.id}`;
      const sent = await rig.engine.alerts.testChannel(made.id, "tester");
      assert.ok(!sent.ok && /private network/.test(sent.error), JSON.stringify(sent));
    }
    assert.equal(server.received.length, 0);
  });

  test("reach Slack as plain text that mentions nobody and links nowhere", async () => {
    await rig.sql`update job_name set name = ${EVIL} where id = ${name.id}`;
    await channel({ kind: "slack", name: "slack" });
    await fire();
    await rig.engine.alerts.beat();
    await ended("delivered");
    const [{ headers, body }] = server.received as [Receiver["received"][number]];
    assert.equal(headers["webhook-signature"], undefined);
    const payload = JSON.parse(body);
    assert.ok(!/[<>]/.test(payload.text), payload.text);
    assert.deepEqual([payload.parse, payload.link_names, payload.mrkdwn], ["none", false, false]);
    for (const { text } of payload.blocks) assert.equal(text.type, "plain_text");
    assert.ok(JSON.stringify(payload.blocks).includes("<!channel>"));
  });

  test("that are tried by hand say how it went", async () => {
    const { id } = await channel();
    assert.deepEqual(await rig.engine.alerts.testChannel(id, "tester"), { ok: true });
    assert.equal(JSON.parse(server.received[0]!.body).type, "alerts.test");
    server.answers = [{ status: 404, body: "nothing here" }];
    const sent = await rig.engine.alerts.testChannel(id, "tester");
    assert.ok(!sent.ok && /It answered 404: nothing here/.test(sent.error));
    const { id: mail } = await channel({ kind: "email", url: null, addresses: ["a@example.org"] });
    const unsent = await rig.engine.alerts.testChannel(mail, "tester");
    assert.ok(!unsent.ok && /SIGNALBOX_SMTP_URL/.test(unsent.error));
  });
});

describe("alerts by e-mail", () => {
  test("arrive at a real mail server, with headers that nobody can add to", async () => {
    const mails: { to: string[]; text: string }[] = [];
    const smtp = new SMTPServer({
      ...{ authOptional: true, disabledCommands: ["STARTTLS"] },
      onData: (stream, session, done) => {
        let text = "";
        stream.on("data", (part) => {
          text += String(part);
        });
        stream.on("end", () => {
          mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text });
          done();
        });
      },
    });
    await new Promise<void>((ready) => smtp.listen(0, "127.0.0.1", () => ready()));
    const { port } = smtp.server.address() as AddressInfo;
    const mail = { url: `smtp://127.0.0.1:${port}`, from: "Signalbox <box@example.org>" };
    const rig = await Rig.start({ alertSeconds: 3_600, sending: { mail, allowsPrivate: false } });
    try {
      const name = await makeName(rig.sql, "report");
      await rig.sql`update job_name set name = ${EVIL} where id = ${name.id}`;
      const addresses = ["ops@example.org", "more@example.org"];
      const input = channelInput.parse({ name: "mail", kind: "email", addresses });
      await rig.engine.alerts.createChannel(name.org, input, { actor: "tester", isTrusted: false });
      const at = new Date();
      await rig.sql`insert into alert ${rig.sql({
        ...{
          id: crypto.randomUUID(),
          rule: "BackgroundJobFailing",
          org_id: name.org,
          name_id: name.id,
        },
        ...{
          severity: "warning",
          state: "firing",
          since: at,
          seen_at: at,
          known_at: at,
          fired_at: at,
        },
        sentence: "Real figures.",
      } as never)}`;
      await rig.engine.alerts.beat();
      await eventually(() => mails.length === 1, "the mail arrives");
      const [{ to, text }] = mails as [(typeof mails)[number]];
      assert.deepEqual(to, addresses);
      const head = text.split("\r\n\r\n")[0]!;
      assert.match(head, /^From: Signalbox <box@example.org>$/m);
      assert.match(head, /^Subject: .*failing/ms);
      assert.doesNotMatch(head, /^Bcc:/im);
      assert.match(text, /Real figures\./);
    } finally {
      await rig.stop({ oracles: false });
      await new Promise<void>((done) => smtp.close(() => done()));
    }
  });

  test("end where the server takes too long over all its steps, before another server tries", async () => {
    // It greets, and answers each line with one more of an answer that never ends.
    const slow = createServer((socket) => {
      socket.write("220 here\r\n");
      socket.on("error", () => {});
      const drip = setInterval(() => socket.write("250-wait\r\n"), 20);
      socket.on("close", () => clearInterval(drip));
    });
    await new Promise<void>((ready) => slow.listen(0, "127.0.0.1", ready));
    const mail = {
      url: `smtp://127.0.0.1:${(slow.address() as AddressInfo).port}`,
      from: "Signalbox <box@example.org>",
    };
    const rig = await Rig.start({
      ...{ alertSeconds: 3_600, sending: { mail, allowsPrivate: false, mailDeadlineMs: 300 } },
    });
    try {
      const input = channelInput.parse({ name: "m", kind: "email", addresses: ["a@example.org"] });
      const by = { actor: "tester", isTrusted: true };
      const { id } = await rig.engine.alerts.createChannel(null, input, by);
      const sent = await rig.engine.alerts.testChannel(id, "tester");
      assert.deepEqual(sent, {
        ok: false,
        error: "it took longer than 0.3 seconds",
        isFinal: false,
      });
      await eventually(
        () => new Promise<boolean>((done) => slow.getConnections((_, n) => done(n === 0))),
        "its connection is gone",
      );
    } finally {
      await rig.stop({ oracles: false });
      await new Promise<void>((done) => slow.close(() => done()));
    }
  });

  test("are refused where an address is none", () => {
    const parsed = (address: string) =>
      channelInput.safeParse({ name: "x", kind: "email", addresses: [address] }).success;
    assert.ok(parsed("a.b+c@example.org"));
    for (const wrong of ["a", "a@b@c", "a@b\r\nBcc: c@d", "<a@b>", "a b@c", '"a,b"@c', "a@b,c@d"]) {
      assert.ok(!parsed(wrong), wrong);
    }
  });
});
