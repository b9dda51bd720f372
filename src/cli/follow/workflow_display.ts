/** Where a followed workflow is shown: bars on a terminal, lines elsewhere. */
import type { WorkflowView } from "./workflow_view.ts";

export interface WorkflowDisplay {
  update(view: WorkflowView): void;
  /** Text that stays, of one or several lines. */
  say(text: string): void;
  /** Gives the terminal back. */
  end(): void;
}
