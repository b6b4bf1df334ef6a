/** Settings that are allowed and still need somebody's eye, a sentence each. */
export const settingWarnings = (settings: Readonly<{ 'clinic.phone'?: string }>): string[] =>
  settings['clinic.phone']?.trim()
    ? []
    : [
        'clinic.phone is not set: patients see no number and no button to call, and texts name none. By chat: !config set clinic.phone "+1 202 555 0100"',
      ]
