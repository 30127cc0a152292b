/**
 * How long the tasks of a page's main thread took of the processor, from a trace of Chromium. Other work on the
 * machine does not count, as it would by the clock; so a slower processor is reckoned, not waited for.
 */

/** An event of the trace, as far as it is read. Microseconds. */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  /** Of the processor. */
  tdur?: number;
  args?: { name?: string; data?: { url?: string; functionName?: string; type?: string } };
}

export interface Task {
  /** Milliseconds of the processor. */
  cpu: number;
  /** Milliseconds since the first task. */
  at: number;
  /** What most of it was. */
  ran: string;
}

export const TRACED = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8.execute'];

const isTask = ({ name, tdur }: TraceEvent): boolean => tdur !== undefined && /(^|::)RunTask$/.test(name);

/** The least share of a task that is named. */
const SHARE = 0.25;

function ranIn(task: TraceEvent, events: readonly TraceEvent[]): string {
  const end = task.ts + (task.dur ?? 0);
  const named = events.filter(
    (event) =>
      !isTask(event) && event.ts >= task.ts && event.ts <= end && (event.tdur ?? 0) >= SHARE * (task.tdur ?? 0),
  );
  const words = named.map(({ name, args }) => {
    const { url, functionName, type } = args?.data ?? {};
    return [name, type, url?.split('/').at(-1), functionName].filter(Boolean).join(' ');
  });
  return [...new Set(words)].join(' > ') || 'nothing that the trace names';
}

/** The tasks of at least `least` milliseconds of the thread that worked most, the longest first. */
export function longTasks(trace: Buffer, least: number): Task[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threads = traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map((thread) => traceEvents.filter(({ pid, tid }) => pid === thread.pid && tid === thread.tid))
    .map((events) => ({ events, tasks: events.filter(isTask) }));
  const worked = (tasks: readonly TraceEvent[]) => tasks.reduce((sum, { tdur = 0 }) => sum + tdur, 0);
  const [page] = threads.sort((a, b) => worked(b.tasks) - worked(a.tasks));
  if (!page?.tasks.length) throw new Error('the trace holds no task of a page');
  const began = Math.min(...page.tasks.map(({ ts }) => ts));
  let until = 0;
  return page.tasks
    .sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))
    .filter(({ ts, dur = 0 }) => {
      const within = ts + dur <= until; // a task is named once by the scheduler, once by what it ran
      until = Math.max(until, ts + dur);
      return !within;
    })
    .filter(({ tdur = 0 }) => tdur / 1000 >= least)
    .sort((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0))
    .map((task) => ({
      cpu: (task.tdur ?? 0) / 1000,
      at: (task.ts - began) / 1000,
      ran: ranIn(task, page.events),
    }));
}
