import { listOf, setting, whole, yesNo } from '../setting.ts'
import { everyText } from './affects.ts'

/** Texts: quiet hours, reminders, and the provider. */
export const smsSettings = {
  'sms.quiet_from': setting({
    kind: whole(0, 23),
    unit: "o'clock",
    default: 21,
    help: "No routine text from this hour of the recipient's day on, until sms.quiet_to.",
    affects: everyText,
  }),
  'sms.quiet_to': setting({
    kind: whole(0, 23),
    unit: "o'clock",
    default: 8,
    help: "Routine texts go out again from this hour of the recipient's day on.",
    affects: everyText,
  }),
  'sms.reminder_hours': setting({
    kind: listOf(whole(1, 336), { max: 5 }),
    unit: 'hours',
    default: [4, 24],
    help: 'How long after an unopened text each reminder goes out.',
    affects: 'messages that are not opened yet, and new ones',
  }),
  'sms.task_hours': setting({
    kind: whole(1, 336),
    unit: 'hours',
    default: 48,
    help: 'How long a message may stay unopened before the care team is asked to call.',
    affects: 'messages that are not opened yet, and new ones',
  }),
  'sms.provider_answers_stop': setting({
    kind: yesNo,
    default: false,
    help: 'Whether the SMS provider confirms STOP by itself, so that we stay silent.',
    affects: 'every STOP from now on',
  }),
} satisfies Record<`sms.${string}`, { kind: unknown }>
