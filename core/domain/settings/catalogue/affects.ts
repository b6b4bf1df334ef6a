/** What a setting affects, where several say the same. */
export const page = 'every patient who opens the page from now on'
export const everyText = 'every text message from now on'
