/* A plugin of qemu's user mode: counts the guest's instructions.
 *
 * A block of instructions adds its length each time it is run. The functions are those
 * of version 1 of the plugin interface (qemu, include/qemu/qemu-plugin.h), declared here
 * because Debian packs no header of them.
 *
 * Arguments: out=FILE, written at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum operation { ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(
    plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(
    struct qemu_plugin_tb *, enum operation, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

EXPORT int qemu_plugin_version = 1;

static uint64_t count;
static char path[4096];

static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
    qemu_plugin_register_vcpu_tb_exec_inline(
        block, ADD_U64, &count, qemu_plugin_tb_n_insns(block));
}

static void on_exit(plugin_id id, void *data)
{
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fprintf(file, "%" PRIu64 "\n", count);
        fclose(file);
    }
}

EXPORT int qemu_plugin_install(
    plugin_id id, const void *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "out=", 4) == 0)
            snprintf(path, sizeof path, "%s", argv[i] + 4);
    if (path[0] == '\0')
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit, NULL);
    return 0;
}
