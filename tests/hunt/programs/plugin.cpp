// Thread-local storage that is made when the plug-in is opened.
static thread_local void* volatile kept;
extern "C" void plugin_keep(void* p) {
  kept = p;
}
