/* What programs with Chez Scheme's kernel in them export. */
void Sscheme_init(void (*abnormal_exit)(void)) {
  (void)abnormal_exit;
}
