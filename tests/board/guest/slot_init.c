/* The whole user land of the slot tests: says which slot booted, and panics where its root is bad. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load(const char *path) {
    int fd = open(path, O_RDONLY);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) perror(path);
    close(fd);
}

static int read_text(const char *path, char *text, int size) {
    int fd = open(path, O_RDONLY), length = fd < 0 ? -1 : (int)read(fd, text, size - 1);
    close(fd);
    text[length < 0 ? 0 : length] = 0;
    return length;
}

/* Whether the partition that root= names begins as a squashfs does. */
static int is_root_good(const char *label) {
    char path[600], text[1024], wanted[64];
    struct dirent *entry;
    DIR *blocks = opendir("/sys/class/block");
    snprintf(wanted, sizeof wanted, "PARTNAME=%s\n", label);
    while (blocks && (entry = readdir(blocks))) {
        snprintf(path, sizeof path, "/sys/class/block/%s/uevent", entry->d_name);
        read_text(path, text, sizeof text);
        if (!strstr(text, wanted)) continue;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        return read_text(path, text, 5) == 4 && !memcmp(text, "hsqs", 4);
    }
    return 0;
}

int main(void) {
    static const char *modules[] = {"virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci",
                                    "virtio_blk"};
    char line[4096], path[64], label[32] = "";
    mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755);
    mount("p", "/proc", "proc", 0, 0), mount("s", "/sys", "sysfs", 0, 0);
    mount("d", "/dev", "devtmpfs", 0, 0);
    int console = open("/dev/console", O_RDWR);
    dup2(console, 1), dup2(console, 2);
    setvbuf(stdout, 0, _IONBF, 0);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "/%s.ko", modules[i]);
        load(path);
    }
    read_text("/proc/cmdline", line, sizeof line);
    char *root = strstr(line, "root=PARTLABEL=");
    if (root) sscanf(root, "root=PARTLABEL=%31s", label);
    for (int i = 0; i < 50 && !is_root_good(label); i++) usleep(20000);
    if (!is_root_good(label)) {
        printf("slot-test: %s is bad\n", label);
        return 1; /* the kernel panics, as where no root can be mounted */
    }
    printf("slot-test: up %s\n", line);
    reboot(RB_POWER_OFF);
    return 0;
}
