/** Whose session it is, where there are several profiles. */
export const ProfileBadge = ({ label }: { readonly label: string }) => (
  <span className="profile-badge" title={`Profile: ${label}`}>
    <span className="visually-hidden">Profile: </span>
    <bdi>{label}</bdi>
  </span>
);
