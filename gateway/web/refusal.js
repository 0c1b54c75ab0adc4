// Why no conversation could be opened. Browsers do not tell what an upgrade was answered; a plain request to the
// same address is refused in the same way.

const kAnswerMaxMs = 3000;
const kRetryAfterMaxMs = 30000;

// {status, retryAfterMs}, or undefined where nobody answers.
export async function refusalOf({url, key, ask = fetch}) {
  const asked = new URL(url);
  asked.protocol = asked.protocol === 'wss:' ? 'https:' : 'http:';
  try {
    const {status, headers} = await ask(asked.href, {
      headers: key ? {Authorization: `Bearer ${key}`} : {}, cache: 'no-store', signal: AbortSignal.timeout(kAnswerMaxMs),
    });
    return {status, retryAfterMs: retryAfterMs(headers.get('Retry-After'))};
  } catch {
    return undefined;
  }
}

// Seconds, as our servers say it; a date is as good as nothing.
function retryAfterMs(value) {
  const seconds = value === null ? NaN : Number(value);
  return seconds >= 0 ? Math.min(kRetryAfterMaxMs, seconds * 1000) : 0;
}
