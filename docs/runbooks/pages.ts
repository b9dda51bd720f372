/** The pages of `docs/runbooks`, from the one definition of the rules. */
import { ALERT_RULES, firesWhen, type Rule } from "../../src/core/alerts/rules.ts";
import { NO_DATA_STEP, RUNBOOKS, type RunbookStep } from "../../src/core/alerts/runbooks.ts";
import { LIMITS } from "../../src/core/alerts/thresholds.ts";

const MADE = "<!-- Made from src/core/alerts: change it there, then `bun docs/write.ts`. -->";

export function runbookFiles(): Record<string, string> {
  const pages = ALERT_RULES.map((rule) => [`runbooks/${rule.anchor}.md`, pageOf(rule)]);
  return { ...Object.fromEntries(pages), "runbooks/README.md": contents() };
}

function contents(): string {
  const rows = ALERT_RULES.map((rule) => {
    return `| [${rule.name}](${rule.anchor}.md) | ${rule.severity} | ${firesWhen(rule)} |`;
  });
  return `# Runbooks

${MADE}

What to do where an alert fires. On the board each of them stands beside the figures of the jobs that it is about,
at \`/board/alerts/rules/{rule}\`. How alerts work is told in [alerts.md](../alerts.md).

| alert | severity | as it comes |
|---|---|---|
${rows.join("\n")}
`;
}

function pageOf(rule: Rule): string {
  const { meaning, look, mend } = RUNBOOKS[rule.name];
  const limits = Object.entries(rule.limits).map(([key, value]) => {
    return `| \`${key}\` | ${value} | ${LIMITS[key as keyof typeof LIMITS].help} |`;
  });
  return `# ${rule.name}

${MADE}

**${rule.severity}** · ${firesWhen(rule)}

${meaning}

## Look

${listed([...look, NO_DATA_STEP])}

## Mend

${listed(mend)}

## Limits

An operator of the organization sets others for all of its jobs or for one ([alerts.md](../alerts.md)).

| limit | default | |
|---|---|---|
${limits.join("\n")}
`;
}

function listed(steps: readonly RunbookStep[]): string {
  return steps
    .map(({ text, href, page }, at) => {
      const where =
        href === undefined
          ? ""
          : ` (\`${decodeURIComponent(href).replaceAll("+", " ")}\`, ${page})`;
      return `${at + 1}. ${text}${where}`;
    })
    .join("\n");
}
