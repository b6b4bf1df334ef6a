/** What a telephone number of the local server does with a text: errors to try out and to test with (row 61). */
export const behaviours = {
  normal: 'arrives',
  invalid: 'refused at once: not a number (21211)',
  unroutable: 'refused at once: no route (21612)',
  no_permission: 'refused at once: region not enabled (21408)',
  opted_out: 'refused at once: the holder sent STOP (21610)',
  not_mobile: 'refused at once: a landline (21614)',
  error_500: 'the API answers with HTTP 500 and takes nothing',
  rate_429: 'the API answers with HTTP 429 and takes nothing',
  reset_after_accept: 'takes the text, then the connection breaks before the answer',
  hang_after_accept: 'takes the text and never answers',
  hold: 'the request waits, nothing is taken, until the behaviour changes',
  landline: 'taken, then undelivered: a landline (30006)',
  unreachable: 'taken, then undelivered: switched off (30003)',
  unregistered: 'taken, then undelivered: the sender is not registered (30034)',
  filtered: 'taken, then undelivered: a carrier filtered it (30007)',
  no_report: 'taken; no report ever comes',
  out_of_order: 'arrives; reports come twice and in the wrong order',
  no_answer: 'texts arrive; a call rings and nobody picks up',
  busy: 'texts arrive; a call finds the line busy',
  voicemail: 'texts arrive; a call is picked up and no key is pressed',
  presses_1: 'texts arrive; a call is picked up and 1 is pressed',
  presses_2: 'texts arrive; a call is picked up and 2 is pressed',
} as const
export type Behaviour = keyof typeof behaviours
export const isBehaviour = (s: unknown): s is Behaviour => typeof s === 'string' && Object.hasOwn(behaviours, s)

/** Numbers that behave so from the start: the first five are Twilio's own test numbers. */
export const specialNumbers: Readonly<Record<string, Behaviour>> = {
  '+15005550001': 'invalid',
  '+15005550002': 'unroutable',
  '+15005550003': 'no_permission',
  '+15005550004': 'opted_out',
  '+15005550009': 'not_mobile',
  '+15005550010': 'error_500',
  '+15005550011': 'rate_429',
  '+15005550012': 'reset_after_accept',
  '+15005550013': 'hang_after_accept',
  '+15005550014': 'landline',
  '+15005550015': 'unreachable',
  '+15005550016': 'unregistered',
  '+15005550017': 'filtered',
  '+15005550018': 'no_report',
  '+15005550019': 'out_of_order',
}

type ApiFault = { status: number; code: number; message: string }
/** Answers that the API gives instead of taking a text. */
export const apiFaults: Partial<Record<Behaviour, ApiFault>> = {
  invalid: { status: 400, code: 21211, message: "The 'To' number is not a valid phone number." },
  unroutable: { status: 400, code: 21612, message: "The 'To' phone number is not currently reachable via SMS." },
  no_permission: {
    status: 400,
    code: 21408,
    message: 'Permission to send an SMS has not been enabled for the region.',
  },
  opted_out: { status: 400, code: 21610, message: 'Attempt to send to unsubscribed recipient' },
  not_mobile: { status: 400, code: 21614, message: "'To' number is not a valid mobile number" },
  error_500: { status: 500, code: 20500, message: 'Internal Server Error' },
  rate_429: { status: 429, code: 20429, message: 'Too Many Requests' },
}
/** Error codes of delivery reports. */
export const deliveryFaults: Partial<Record<Behaviour, number>> = {
  landline: 30006,
  unreachable: 30003,
  unregistered: 30034,
  filtered: 30007,
}
