import type { SmsErrorClass } from '../../core/domain/texts/sms-state.ts'

/** Twilio's error codes, from the API's answers and from status callbacks (twilio.com/docs/api/errors): the one table of what is permanent (row 61). */
const table: Record<SmsErrorClass, string> = {
  transient: '20003 20429 20500 20503 20504 21611 14107 30001 30008 30017 30018 30022 30026',
  opted_out: '21610',
  landline: '21614 30006',
  invalid_number: '21211 21217 21401 21421 21604 30005',
  unreachable: '21612 30003 30004 30009 30023 30024',
  unregistered_sender: '30032 30034 30035 30036 30037 30038 30039 30040 63038',
  filtered: '30007 30019 30020 30021 30033 30044 30410 30450 30485',
  configuration:
    '21408 21601 21602 21617 21603 21605 21606 21608 21609 21618 21619 21620 21623 21659 21660 21661 21703 21704 21705 21712 30002 30010 30011 30027',
  unknown: '',
}
const classes = new Map(
  (Object.entries(table) as [SmsErrorClass, string][]).flatMap(([kind, codes]) =>
    codes
      .split(' ')
      .filter(Boolean)
      .map(code => [code, kind] as const),
  ),
)

/** An error that the table does not have is judged by its HTTP status: 429 and 5xx pass, others are permanent. */
export const classifyTwilioError = (code: number | string | undefined, status?: number): SmsErrorClass => {
  const known = classes.get(String(code ?? ''))
  if (known) return known
  if (status !== undefined && (status === 408 || status === 429 || status >= 500)) return 'transient'
  return 'unknown'
}
