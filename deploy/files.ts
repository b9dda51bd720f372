/** All that is made from the code for other programs: paths below `deploy/`, with their text. */
import { grafanaFiles } from "./grafana/dashboard.ts";
import { alertTestFiles } from "./prometheus/alert_tests.ts";
import { ruleFiles } from "./prometheus/rules.ts";

export function deployFiles(): Record<string, string> {
  return { ...ruleFiles(), ...alertTestFiles(), ...grafanaFiles() };
}
