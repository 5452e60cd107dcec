import type { TuneListener } from '../ollama/tune/session.ts';
import { figuresOf, isSample } from '../ollama/tune/verdict.ts';
import { createRedrawnLine } from './redrawn-line.ts';
import { withoutControls } from './style.ts';
import type { Output } from './terminal.ts';

/** A listener that shows what is measured, until `end`. */
export type TuneProgress = TuneListener & { end(): void };

/** Makes a line that redraws itself on a terminal, a line for each measurement elsewhere. */
export function createTuneProgress(output: Output): TuneProgress {
  const step = createRedrawnLine(output);
  const line = (text: string): void => {
    step.clear();
    output.write(`${text}\n`);
  };
  return {
    end: step.clear,
    onNotice: (notice) => line(withoutControls(notice)),
    onPlan({ dimensions, isResumed }) {
      if (isResumed) line('It goes on with what was measured before; --fresh begins anew.');
      const tried = dimensions.map(({ option, values }) => `${option} (${values.map(String).join(', ')})`);
      if (tried.length > 0) line(`Tries ${tried.join(', ')}.`);
    },
    onStep({ stage, round, rounds, setting, result }) {
      const figures = isSample(result) ? figuresOf([result]) : undefined;
      const speeds =
        figures === undefined
          ? 'failed'
          : [
              `prompt ${toSpeed(figures.promptSpeed)}`,
              figures.answerSpeed === undefined ? '' : `answer ${toSpeed(figures.answerSpeed)}`,
            ]
              .filter(Boolean)
              .join(', ');
      const text = `${stage}, round ${round} of ${rounds}: ${setting}: ${speeds}`;
      if (output.isTerminal) step.draw(text);
      else line(text);
    },
  };
}

/** Writes tokens in a second with three digits that count. */
export function toSpeed(tokensPerSecond: number): string {
  const digits = tokensPerSecond >= 100 ? 0 : tokensPerSecond >= 10 ? 1 : 2;
  return `${tokensPerSecond.toFixed(digits)}/s`;
}
