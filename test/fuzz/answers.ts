import { connect } from 'node:net';

/** One answer on a connection, as comparable as it can be made. */
export type Answer = {
  readonly status: number;
  /** `name: value`, names in lower case, sorted, without the date. */
  readonly headers: readonly string[];
  readonly body: string;
};

/** What a server did with the bytes of a connection. */
export type Answers = {
  readonly answers: readonly Answer[];
  /** Bytes after them. */
  readonly rest: string;
  readonly closed: boolean;
};

/** What is sent, and the methods of the requests that answers are expected to. */
export type Conversation = {
  readonly bytes: Buffer;
  readonly methods: readonly string[];
  readonly closes: boolean;
};

const WAIT_MS = 10_000;

/** Takes whole answers from the front of what was received; interim ones are dropped. */
function parse(received: string, methods: readonly string[]): { answers: Answer[]; rest: string } {
  const answers: Answer[] = [];
  let rest = received;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return { answers, rest };
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(line.split(' ')[1]);
    const headers = lines.map((text) => text.replace(/^[^:]+/, (name) => name.toLowerCase()));
    const length = Number(headers.find((text) => text.startsWith('content-length:'))?.slice(15) ?? 0);
    const bodyBytes = methods[answers.length] === 'HEAD' || status < 200 ? 0 : length;
    if (rest.length < end + 4 + bodyBytes) return { answers, rest };
    const body = rest.slice(end + 4, end + 4 + bodyBytes);
    rest = rest.slice(end + 4 + bodyBytes);
    if (status >= 200) {
      answers.push({ status, headers: headers.filter((text) => !text.startsWith('date:')).toSorted(), body });
    }
  }
}

/** Sends bytes to a server, and hears it out until it has answered every request, or has closed. */
export async function converse(port: number, { bytes, methods, closes }: Conversation): Promise<Answers> {
  const socket = connect(port, '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<Answers>();
  let received = '';
  const timer = setTimeout(
    () => reject(new Error(`no answer in time, but ${JSON.stringify(received)}`)),
    WAIT_MS,
  );
  const settle = (closed: boolean): void => {
    const { answers, rest } = parse(received, methods);
    if (closed || (!closes && answers.length >= methods.length)) resolve({ answers, rest, closed });
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    settle(false);
  });
  // A server that refuses may reset a connection on which bytes are still under way.
  socket.on('error', () => {});
  socket.on('close', () => settle(true));
  socket.write(bytes);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
