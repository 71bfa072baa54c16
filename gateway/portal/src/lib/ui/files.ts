/** Files on their way in and out. */
import { session } from '../session/session.svelte.ts';
import { language } from '../text/text.svelte.ts';
import { authorised } from '../api/client.ts';
import { OFFLINE, own, ProblemError, UNREADABLE, type Problem } from '../api/problem.ts';

export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** A file under its name in composed letters: macOS names files in decomposed Hangul. */
export function composed(file: File): File {
  const name = file.name.normalize('NFC');
  return name === file.name ? file : new File([file], name, { type: file.type });
}

/** Fetches a file as whoever is logged in, and hands it to the browser under its name. */
export async function saveFrom(path: string, init: RequestInit = {}): Promise<void> {
  const response = await authorised(new Request(path, init));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = nameOf(response.headers.get('Content-Disposition')) ?? 'download';
  link.click();
  // The browser has begun to read by the next turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The name in a Content-Disposition of ours. */
export function nameOf(header: string | null): string | null {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(header ?? '')?.[1];
  return encoded === undefined ? null : decodeURIComponent(encoded);
}

export interface Sending {
  path: string;
  file: File;
  method?: 'POST' | 'PUT';
  /** The part's name in the form. */
  part?: string;
  /** Other parts of the form. */
  fields?: Record<string, string>;
  headers?: Record<string, string>;
  /** From 0 to 1. */
  onProgress?: (share: number) => void;
}

/** Sends a file as a form, telling how far it is: `fetch` cannot. Gives the answer's JSON. */
export async function send<Answer>(sending: Sending): Promise<Answer> {
  const token = await session.accessToken();
  const form = new FormData();
  for (const [name, value] of Object.entries(sending.fields ?? {})) form.append(name, value);
  form.append(sending.part ?? 'file', composed(sending.file));
  return await new Promise<Answer>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(sending.method ?? 'POST', sending.path);
    request.setRequestHeader('Accept-Language', language.current);
    if (token !== null) request.setRequestHeader('Authorization', `Bearer ${token}`);
    for (const [name, value] of Object.entries(sending.headers ?? {})) {
      request.setRequestHeader(name, value);
    }
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) sending.onProgress?.(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      if (request.status < 300) resolve(read(request.responseText) as Answer);
      else reject(problemIn(request));
    });
    request.addEventListener('error', () => reject(own(OFFLINE)));
    request.send(form);
  });
}

function problemIn(request: XMLHttpRequest): ProblemError {
  const body = read(request.responseText);
  return typeof body === 'object' && body !== null && 'code' in body
    ? new ProblemError(body as Problem)
    : own(UNREADABLE, request.status);
}

function read(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
