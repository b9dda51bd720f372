/** A channel as its form has it, and what the form makes of it. */
import type { z } from "zod";
import {
  channelInput,
  channelPatch,
  type ParsedChannelInput,
  type ParsedChannelPatch,
} from "../../engine/alerts/input.ts";
import type { ChannelView } from "../../web/alerts/channels.ts";
import {
  type Field,
  type FieldSpec,
  fieldsOf,
  type Problems,
  problemsOf,
  type Typed,
  typedIn,
} from "../../web/forms/fields.ts";

const NAMES = ["name", "kind", "severity", "url", "addresses", "enabled"];
const KINDS = ["webhook", "slack", "email"] as const;
type Kind = (typeof KINDS)[number];

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  webhook: "Webhook",
  slack: "Slack",
  email: "E-mail",
};
export const SEVERITY_WORDS = {
  warning: "every alert",
  critical: "critical alerts only",
} as const;

export const NEW_CHANNEL: Typed = { kind: "webhook", severity: "warning", enabled: "yes" };

export function typedChannel(form: URLSearchParams): Typed {
  return typedIn(form, NAMES);
}

/** Its address is not among them: what was given once is not shown again. */
export function typedOf({ name, kind, severity, addresses, enabled }: ChannelView): Typed {
  const all = (addresses ?? []).join(", ");
  return { name, kind, severity, addresses: all, enabled: enabled ? "yes" : "" };
}

type Read<T> = { input: T; problems: null } | { input: null; problems: Problems };

/** Of the two places only the one that its kind has: the other is hidden. */
export function newChannelIn(typed: Typed): Read<ParsedChannelInput> {
  const { name, kind, severity } = typed;
  const to = kind === "email" ? { addresses: addressesIn(typed) } : { url: typed.url || null };
  const enabled = typed.enabled === "yes";
  return read(channelInput, { name, kind, severity, enabled, ...to }, typed);
}

/** An address that is left empty stays. */
export function channelPatchIn(typed: Typed, kind: Kind): Read<ParsedChannelPatch> {
  const { name, severity, url } = typed;
  const moved = url === "" ? {} : { url };
  const to = kind === "email" ? { addresses: addressesIn(typed) ?? [] } : moved;
  return read(channelPatch, { name, severity, enabled: typed.enabled === "yes", ...to }, typed);
}

function addressesIn({ addresses = "" }: Typed): string[] | null {
  const all = addresses.split(/[\s,;]+/).filter((word) => word !== "");
  return all.length === 0 ? null : all;
}

function read<T>(schema: z.ZodType<T>, input: object, typed: Typed): Read<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { input: parsed.data, problems: null };
  const issues = parsed.error.issues.map(({ path, message }) => {
    const wrong = typeof path[1] === "number" ? addressesIn(typed)?.[path[1]] : undefined;
    return { path, message: wrong === undefined ? message : `“${wrong}” ${message}.` };
  });
  return { input: null, problems: problemsOf(issues) };
}

const NAME: FieldSpec = {
  ...{ name: "name", label: "Name" },
  attributes: { required: "", maxlength: "100" },
};
const URL_SPEC: FieldSpec = {
  ...{ name: "url", label: "URL" },
  attributes: { maxlength: "2000", inputmode: "url", spellcheck: "false" },
};
const ADDRESSES: FieldSpec = {
  ...{
    name: "addresses",
    label: "E-mail addresses",
    hint: "20 at most, with commas between them.",
  },
  attributes: { maxlength: "2000", inputmode: "email", spellcheck: "false" },
};

export interface ChannelFields {
  name: Field;
  url: Field;
  addresses: Field;
  kinds: { value: string; label: string; isChosen: boolean }[];
  severities: { value: string; label: string; isChosen: boolean }[];
  isOn: boolean;
  all: Field[];
}

/** `known`: the channel that is changed. */
export function channelFields(
  typed: Typed,
  problems: Problems,
  known: ChannelView | null = null,
): ChannelFields {
  const hint = known
    ? `It leads to ${known.url}; the rest is often a secret, and is not shown. Empty: it stays.`
    : "It is often a secret itself, and is not shown again.";
  const given = { typed, problems };
  const all = fieldsOf("channel", [NAME, { ...URL_SPEC, hint }, ADDRESSES], given);
  const [name, url, addresses] = all as [Field, Field, Field];
  const choice =
    (chosen: string | undefined) =>
    ([value, label]: [string, string]) => {
      return { value, label, isChosen: value === chosen };
    };
  return {
    ...{ name, url, addresses, isOn: typed.enabled === "yes" },
    kinds: Object.entries(KIND_WORDS).map(choice(typed.kind)),
    severities: Object.entries(SEVERITY_WORDS).map(choice(typed.severity)),
    // What its kind has not is neither shown nor wrong.
    all: typed.kind === "email" ? [name, addresses] : [name, url],
  };
}
