/** The payload of the job `desk.alert`: a code that is known here, or `text` in the sender's own words; never a patient's. `last2`: the number's last two digits; `codes`: patients. */
export type DeskAlert = { what: string; unit?: string; last2?: string; codes?: string[]; text?: string }

const sentences: Record<string, (a: DeskAlert) => string> = {
  unknown_number: a =>
    `A text came from a number that no patient has (…${a.last2 ?? '??'}). The sender was told to call; the words were not kept.`,
  former_patient: a =>
    `A text came from the number (…${a.last2 ?? '??'}) of a patient who is not in care here any more: ${a.codes?.join(', ') ?? ''}. The sender was told to call; the words were not kept. Please call them; if care begins again: !patient add`,
  unassigned_text: a =>
    `A text from a number that several patients share (…${a.last2 ?? '??'}) was not assigned to one of them within a day. Please call the number.`,
}

/** What the desk reads. */
export const alertSentence = (a: DeskAlert): string =>
  `🔔 ${sentences[a.what]?.(a) ?? a.text ?? `Please look: ${a.what.replaceAll(/[_-]/g, ' ')}.`}`
