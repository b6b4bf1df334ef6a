import { auditSettings } from './audit.ts'
import { clinicSettings } from './clinic.ts'
import { helpSettings } from './help.ts'
import { linkSettings } from './links.ts'
import { oncallSettings } from './oncall.ts'
import { recordSettings } from './records.ts'
import { roomSettings } from './rooms.ts'
import { smsSettings } from './sms.ts'

/** Every setting that `!config` may change (row 41), by area: the one list for help, defaults, reading and previews, in the order of the documentation. */
export const catalogue = {
  ...clinicSettings,
  ...linkSettings,
  ...smsSettings,
  ...roomSettings,
  ...auditSettings,
  ...recordSettings,
  ...oncallSettings,
  ...helpSettings,
}
