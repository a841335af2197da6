const MASK = '[redacted]';
/** Shorter values would blank ordinary words. */
const MIN_LENGTH = 6;

/** What looks like a credential, whoever it belongs to. */
const PATTERNS: Array<[RegExp, string]> = [
  [/\bsco_[A-Za-z0-9_]{8,}/g, MASK],
  [/\bsk-[A-Za-z0-9_-]{8,}/g, MASK],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, MASK],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${MASK}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:)[^\s/@"']+@/gi, `$1${MASK}@`],
];

const known = new Set<string>();
let knownPattern: RegExp | undefined;

/** Values that must never be seen again, in the form given and as JSON and URLs write them. Told once, at boot. */
export function registerSecrets(values: Iterable<string | undefined>): void {
  for (const value of values) {
    if (!value || value.length < MIN_LENGTH) continue;
    for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) known.add(form);
  }
  const escaped = [...known]
    .sort((a, b) => b.length - a.length)
    .map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  knownPattern = escaped.length ? new RegExp(escaped.join('|'), 'g') : undefined;
}

/** The text without known secrets and without what looks like a credential. Fit for logs, events and error answers. */
export function redact(text: string): string {
  let clean = knownPattern ? text.replace(knownPattern, MASK) : text;
  for (const [pattern, mask] of PATTERNS) clean = clean.replace(pattern, mask);
  return clean;
}
