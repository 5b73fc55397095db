/* A shared object as one built for TensorFlow: it asks for a function of that
 * library's namespace when it is loaded. */
extern void _ZN10tensorflow8register_opEv(void);
void for_tensorflow(void);
__attribute__((visibility("default"))) void for_tensorflow(void) { _ZN10tensorflow8register_opEv(); }
