/** A number as people read it: North American ones in their usual form, all others as they are. */
export const phoneText = (phone: string): string => {
  const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone.replace(/[\s().-]/g, ''))
  return us ? `(${us[1]}) ${us[2]}-${us[3]}` : phone
}

/** The address that starts a call. */
export const phoneHref = (phone: string): string => `tel:${phone.replace(/[^\d+*#,;]/g, '')}`
